// The Received: field that pop3get puts above each message. RFC 5321 §4.4, RFC 5322 §3.3. Pure.

import { isIP } from 'node:net';

export interface TraceHeaderParts {
  /** The server's name as it was asked for or located. */
  readonly serverName: string;
  /** Null where it is not known. */
  readonly serverAddress: string | null;
  /** This machine's name. */
  readonly localName: string;
}

/**
 * Prepares the field of a session's messages, with LF line ends. Nothing in it was said by the
 * server: names are cut down to the characters of host names, so that no part can end the field or
 * pose as another.
 *
 * @returns what formats it, with our own identifier of the delivery
 */
export function traceHeaderFormat(
  parts: TraceHeaderParts,
): (id: string, receivedAt: Date) => Buffer {
  const { serverName, serverAddress } = parts;
  const literal = literalOf(serverAddress ?? serverName);
  const server = isIP(serverName) === 0 ? hostCharacters(serverName, '') || literal : literal;
  const from = serverAddress === null ? server : `${server} (${literal})`;
  const local = hostCharacters(parts.localName, '') || 'localhost';
  const start = `Received: from ${from}\n\tby ${local} with POP3 id `;
  return (id, receivedAt) => {
    const rest = `${id.replace(/[^A-Za-z0-9.]/g, '')};\n\t${formatDate(receivedAt)}\n`;
    return Buffer.from(start + rest, 'latin1');
  };
}

function literalOf(address: string): string {
  return address.includes(':')
    ? `[IPv6:${hostCharacters(address, ':')}]`
    : `[${hostCharacters(address, '')}]`;
}

/** Octets of the trace header at the start of a stored file: its three lines. */
export function traceHeaderLength(file: Buffer): number {
  let end = -1;
  for (let line = 0; line < 3; line += 1) {
    end = file.indexOf('\n', end + 1);
    if (end === -1) return file.length;
  }
  return end + 1;
}

function hostCharacters(name: string, more: ':' | ''): string {
  const others = more === ':' ? /[^A-Za-z0-9.:-]/g : /[^A-Za-z0-9.-]/g;
  return name.replace(others, '').replace(/\.$/, '').slice(0, 255);
}

/** RFC 5322 §3.3: `Sat, 21 Nov 2026 10:13:57 +0000`. */
function formatDate(date: Date): string {
  return date.toUTCString().replace(/GMT$/, '+0000');
}
