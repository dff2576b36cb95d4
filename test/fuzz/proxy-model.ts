// What a PROXY header comes to, by other means than the reader: from a whole stream at once, with an expression for each
// version. haproxy.org, doc/proxy-protocol.txt.

export type ModelVerdict =
  /** `octets`: where what follows the header begins. Addresses are hexadecimal, IPv4-mapped ones IPv4. */
  | {
      readonly verdict: 'client';
      readonly octets: number;
      readonly from: string;
      readonly to: string;
      readonly tls: string;
    }
  | { readonly verdict: 'own'; readonly octets: number }
  | { readonly verdict: 'malformed' }
  | { readonly verdict: 'more' };

const malformed = { verdict: 'malformed' } as const;
const more = { verdict: 'more' } as const;
const magic = '\r\n\r\n\0\r\nQUIT\n';

export function modelOfHeader(stream: Buffer): ModelVerdict {
  const text = stream.toString('latin1');
  if (magic.startsWith(text.slice(0, 12))) return text.length < 12 ? more : binary(stream);
  if ('PROXY '.startsWith(text.slice(0, 6))) return text.length < 6 ? more : line(text);
  return malformed;
}

function line(text: string): ModelVerdict {
  const [whole, first = ''] = /^([^\r\n]*)\r\n/.exec(text) ?? [];
  if (whole === undefined) {
    const isBroken = /^[^\r\n]*(?:\n|\r[^\n])/.test(text);
    const room = text.endsWith('\r') ? 107 : 106;
    return isBroken || text.length >= room ? malformed : more;
  }
  if (whole.length > 107) return malformed;
  const octets = whole.length;
  if (/^PROXY UNKNOWN(?: .*)?$/.test(first)) return { verdict: 'own', octets };
  const port = '(0|[1-9][0-9]{0,4})';
  const fields = new RegExp(
    `^PROXY TCP([46]) ([0-9a-fA-F:.]+) ([0-9a-fA-F:.]+) ${port} ${port}$`,
  ).exec(first);
  if (fields === null) return malformed;
  const [, family = '', source = '', destination = '', sourcePort = '', destinationPort = ''] =
    fields;
  const from = hexadecimal(source, family);
  const to = hexadecimal(destination, family);
  if (from === null || to === null || Math.max(+sourcePort, +destinationPort) > 65535)
    return malformed;
  return {
    verdict: 'client',
    octets,
    from: `${from} ${sourcePort}`,
    to: `${to} ${destinationPort}`,
    tls: '',
  };
}

function binary(stream: Buffer): ModelVerdict {
  const command = stream[12];
  if (command === undefined) return more;
  if (command !== 0x20 && command !== 0x21) return malformed;
  if (stream.length < 16) return more;
  const octets = 16 + (stream[14] ?? 0) * 256 + (stream[15] ?? 0);
  if (octets > 4096) return malformed;
  if (stream.length < octets) return more;
  if (command === 0x20 || [0x00, 0x31].includes(stream[13] ?? -1))
    return { verdict: 'own', octets };
  const size = { 0x11: 4, 0x21: 16 }[stream[13] ?? 0];
  if (size === undefined || octets < 16 + 2 * size + 4) return malformed;
  const hex = stream.toString('hex', 16, octets);
  const address = (at: number): string =>
    hex.slice(2 * at, 2 * (at + size)).replace(/^0{20}f{4}(?=.{8}$)/, '');
  const port = (at: number): number => parseInt(hex.slice(2 * at, 2 * at + 4), 16);
  const tls = tlsOf(hex.slice(2 * (2 * size + 4)));
  if (tls === null) return malformed;
  return {
    verdict: 'client',
    octets,
    from: `${address(0)} ${port(2 * size)}`,
    to: `${address(size)} ${port(2 * size + 2)}`,
    tls,
  };
}

/** @returns null where a vector is cut off; else version, cipher and name, or nothing */
function tlsOf(hex: string): string | null {
  const vectors = split(hex);
  const ssl = vectors?.['20'];
  if (vectors === null || (ssl !== undefined && ssl.length < 10)) return null;
  if (ssl === undefined) return '';
  const inner = split(ssl.slice(10));
  if (inner === null) return null;
  if (parseInt(ssl.slice(0, 2), 16) % 2 === 0) return '';
  const word = (found = ''): string => {
    const text = Buffer.from(found, 'hex').toString('latin1');
    return /^[\x21-\x7e]{1,255}$/.test(text) ? text : '';
  };
  return [word(inner['21']) || 'unknown', word(inner['23']), word(vectors['02'])].join(' ');
}

function split(hex: string): Readonly<Record<string, string>> | null {
  const found: Record<string, string> = {};
  let rest = hex;
  while (rest !== '') {
    const end = rest.length < 6 ? Infinity : 6 + 2 * parseInt(rest.slice(2, 6), 16);
    if (end > rest.length) return null;
    found[rest.slice(0, 2)] = rest.slice(6, end);
    rest = rest.slice(end);
  }
  return found;
}

/** By counting groups. @returns null for what is no address of that family */
function hexadecimal(address: string, family: string): string | null {
  const bytes = (text: string): string | null => {
    const parts = /^(0|[1-9][0-9]{0,2})(?:\.(?!$)|$)/.test(text) ? text.split('.') : [];
    const isRight =
      parts.length === 4 &&
      parts.every((part) => /^(0|[1-9][0-9]{0,2})$/.test(part) && +part < 256);
    return isRight ? parts.map((part) => (+part).toString(16).padStart(2, '0')).join('') : null;
  };
  if (family === '4') return bytes(address);
  const [head = '', tail, ...others] = address.split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const expand = (list: readonly string[], isLast: boolean): string | null => {
    const words = list.map((group, index) =>
      isLast && index === list.length - 1 && group.includes('.')
        ? bytes(group)
        : /^[0-9a-fA-F]{1,4}$/.test(group)
          ? group.toLowerCase().padStart(4, '0')
          : null,
    );
    return words.includes(null) ? null : words.join('');
  };
  const left = expand(groups(head), tail === undefined);
  const right = expand(groups(tail ?? ''), true);
  if (left === null || right === null || others.length > 0) return null;
  const missing = 32 - left.length - right.length;
  const isRight = tail === undefined ? missing === 0 : missing >= 4;
  if (!address.includes(':') || !isRight) return null;
  return (left + '0'.repeat(missing) + right).replace(/^0{20}f{4}(?=.{8}$)/, '');
}
