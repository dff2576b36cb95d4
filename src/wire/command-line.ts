// Command lines: "KEYWORD" or "KEYWORD SP arguments". RFC 1939 §3, RFC 2449 §4.

export interface CommandLine {
  /** Upper-cased; letters, digits and hyphens. */
  readonly keyword: string;
  /** What follows the first space, byte for byte as latin1 text; null when there is no space. */
  readonly argument: string | null;
}

/**
 * Parses one line without its line end.
 *
 * @returns null for what is no command line: empty, a leading space, a keyword of other characters,
 *   a NUL anywhere (stopping at it would execute a prefix of what was sent)
 */
export function parseCommandLine(line: Buffer): CommandLine | null {
  const text = line.toString('latin1');
  if (text.includes('\0')) return null;
  const space = text.indexOf(' ');
  const keyword = space === -1 ? text : text.slice(0, space);
  if (!/^[A-Za-z][A-Za-z0-9-]{0,39}$/.test(keyword)) return null;
  return { keyword: keyword.toUpperCase(), argument: space === -1 ? null : text.slice(space + 1) };
}

/**
 * Formats a command line with its CRLF.
 *
 * @throws RangeError when an argument could end the line or is cut at a NUL
 */
export function formatCommandLine(keyword: string, ...words: readonly (string | number)[]): string {
  const line = [keyword, ...words].join(' ');
  if (/[\r\n\0]/.test(line))
    throw new RangeError(`${keyword}: an argument holds a line end or NUL`);
  return `${line}\r\n`;
}

/**
 * Splits an argument at runs of spaces; leading and trailing spaces are no arguments. People type
 * them.
 */
export function splitWords(argument: string | null): readonly string[] {
  return argument === null ? [] : argument.split(' ').filter((word) => word !== '');
}
