// What a client must receive for a stored message, computed plainly and apart from src/wire, which is what it checks.

/**
 * The message as RETR sends it, without byte-stuffing: line ends as CRLF, the last line completed, an empty line added
 * when the header has no end. An empty message is that line.
 */
export function asSent(stored: Buffer): Buffer {
  let text = stored.toString('latin1').replace(/\r?\n/g, '\r\n');
  if (text !== '' && !text.endsWith('\r\n')) text += '\r\n';
  if (headerLength(text) === null) text += '\r\n';
  return Buffer.from(text, 'latin1');
}

/** The part of it that `TOP n lineCount` sends: header, empty line, and so many lines of the body. RFC 1939 §7. */
export function topAsSent(stored: Buffer, lineCount: number): Buffer {
  const text = asSent(stored).toString('latin1');
  let end = headerLength(text) ?? text.length;
  for (let line = 0; line < lineCount && end < text.length; line += 1) {
    end = text.indexOf('\r\n', end) + 2;
  }
  return Buffer.from(text.slice(0, end), 'latin1');
}

/** The message with LF line ends, as clients that store for Unix keep it. */
export function withLineFeeds(message: Buffer): Buffer {
  return Buffer.from(message.toString('latin1').replaceAll('\r\n', '\n'), 'latin1');
}

/** Octets of the header with its empty line; null when there is none. */
function headerLength(text: string): number | null {
  if (text.startsWith('\r\n')) return 2;
  const at = text.indexOf('\r\n\r\n');
  return at === -1 ? null : at + 4;
}
