// The lines of pop3get.*.journal, described in pop3get(1). Pure.

/** A message that is in the Maildir, durably, and may still be on the server. */
export interface StoredRecord {
  /** What `uniqueIdKey` gave; null when the server gave no usable unique-id. */
  readonly key: string | null;
  /** SHA-256 of the message as stored without its trace header, hex. */
  readonly contentHash: string;
  /** The size that LIST gave, as text, up to 20 characters; null when it gave none. */
  readonly listedOctets: string | null;
  /** `seconds.Mmicroseconds`: what the names in tmp and new start with. */
  readonly stamp: string;
}

export type JournalLine =
  | { readonly kind: 'header'; readonly account: string }
  /** A trusted TLS handshake was done for this account: never in clear again, unless asked for. */
  | { readonly kind: 'tls' }
  | { readonly kind: 'stored'; readonly record: StoredRecord }
  /** The session ended while this message was on its way: it is fetched last, and alone. Each line counts once more. */
  | { readonly kind: 'suspect'; readonly key: string };

const magic = 'pop3get-journal-1';

export function formatJournalLine(line: JournalLine): string {
  switch (line.kind) {
    case 'header':
      return `${magic} ${encodeURIComponent(line.account)}\n`;
    case 'tls':
      return 'tls\n';
    case 'stored': {
      const { key, contentHash, listedOctets, stamp } = line.record;
      return `stored ${key ?? '-'} ${contentHash} ${listedOctets ?? '-'} ${stamp}\n`;
    }
    case 'suspect':
      return `suspect ${line.key}\n`;
  }
}

/** Parses a line without its line end. @returns null for anything but a whole, well-formed line: it then says nothing */
export function parseJournalLine(text: string): JournalLine | null {
  const [word, ...values] = text.split(' ');
  const [first = '', second = '', third = '', fourth = ''] = values;
  if (word === magic && values.length === 1) {
    const account = tryDecode(first);
    return account === null ? null : { kind: 'header', account };
  }
  if (word === 'tls' && values.length === 0) return { kind: 'tls' };
  if (word === 'suspect' && values.length === 1 && isKey(first))
    return { kind: 'suspect', key: first };
  if (word !== 'stored' || values.length !== 4) return null;
  const isWhole =
    (first === '-' || isKey(first)) &&
    /^[0-9a-f]{64}$/.test(second) &&
    /^[!-~]{1,20}$/.test(third) &&
    /^[0-9]{1,12}\.M[0-9]{6}$/.test(fourth);
  if (!isWhole) return null;
  const record: StoredRecord = {
    key: first === '-' ? null : first,
    contentHash: second,
    listedOctets: third === '-' ? null : third,
    stamp: fourth,
  };
  return { kind: 'stored', record };
}

function isKey(text: string): boolean {
  return /^[0-9a-f]{32}$/.test(text);
}

function tryDecode(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
