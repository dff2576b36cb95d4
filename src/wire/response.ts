// Response lines: status indicator, response code, text. RFC 1939 §3, RFC 2449 §8, RFC 3206, RFC
// 5034 §4.

import { maxResponseLineOctets } from './limits.js';

/** The response codes that we send. RFC 2449 §8.1, RFC 3206 §4, RFC 6856 §5. */
export type ResponseCode = 'SYS/TEMP' | 'SYS/PERM' | 'AUTH' | 'UTF8';

export interface Response {
  readonly isOk: boolean;
  /** The code without its brackets, upper-cased; null when there is none. */
  readonly code: string | null;
  /** The rest, as latin1 text; may be empty. */
  readonly text: string;
}

/**
 * Formats a response line with its CRLF, clipped to 512 octets.
 *
 * @param text must not start with "[" (RFC 2449 §6.4: it would be read as a code); line ends in it
 *   become spaces
 */
export function formatResponse(isOk: boolean, text: string, code?: ResponseCode): string {
  let line = isOk ? '+OK' : '-ERR';
  if (code !== undefined) line += ` [${code}]`;
  if (text !== '') line += ` ${text.replace(/[\r\n]+/g, ' ')}`;
  return `${clipUtf8(line, maxResponseLineOctets - 2)}\r\n`;
}

/** Formats a SASL challenge: "+", a space even when nothing follows, base64. RFC 5034 §4. */
export function formatChallenge(challenge: Buffer): string {
  return `+ ${challenge.toString('base64')}\r\n`;
}

/**
 * Parses a response line without its line end. Indicators are taken in any case.
 *
 * @returns null for anything else
 */
export function parseResponse(line: Buffer): Response | null {
  const parts = /^(\+OK|-ERR)(?: (?:\[([^\]]*)\] ?)?(.*))?$/is.exec(line.toString('latin1'));
  if (parts === null) return null;
  const [, indicator = '', code, text = ''] = parts;
  return { isOk: indicator.toUpperCase() === '+OK', code: code?.toUpperCase() ?? null, text };
}

/**
 * Parses a SASL challenge line.
 *
 * @returns its base64 text, empty allowed; null when it is no challenge
 */
export function parseChallenge(line: Buffer): string | null {
  const text = line.toString('latin1');
  if (text === '+') return '';
  return text.startsWith('+ ') ? text.slice(2) : null;
}

function clipUtf8(text: string, octets: number): string {
  // A UTF-16 code unit becomes three octets at most.
  if (3 * text.length <= octets) return text;
  const bytes = Buffer.from(text);
  if (bytes.length <= octets) return text;
  let end = octets;
  // A UTF-8 continuation byte begins with the bits 10; a character is dropped whole.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.toString('utf8', 0, end);
}
