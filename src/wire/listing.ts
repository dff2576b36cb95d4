// The lines of LIST and UIDL: "number SP octets" and "number SP unique-id". RFC 1939 §5, §7.

import { maxUniqueIdLength } from './limits.js';
import { parseMessageNumber, type MessageNumber } from './message-number.js';

const space = 0x20;

export interface ScanListing {
  readonly number: MessageNumber;
  /** As the server says; for progress only, never for framing or allocation. At most 2^53 - 1. */
  readonly octets: number;
}

export interface UniqueIdListing {
  readonly number: MessageNumber;
  readonly uniqueId: string;
}

export function formatScanListing(number: MessageNumber, octets: number): string {
  return `${number} ${octets}`;
}

/**
 * RFC 1939 §5 lets servers add information after the octets; it is ignored.
 *
 * @returns null when the line is none
 */
export function parseScanListing(line: Buffer): ScanListing | null {
  const [first = '', second = ''] = line.toString('latin1').split(/ +/);
  const number = parseMessageNumber(first);
  if (number === null || !/^[0-9]{1,15}$/.test(second)) return null;
  return { number, octets: Number(second) };
}

export function formatUniqueIdListing(number: MessageNumber, uniqueId: string): string {
  return `${number} ${uniqueId}`;
}

/**
 * Takes what servers send, not only what they may send: all octets to the line's end are the
 * unique-id, blanks around it left out.
 *
 * @returns null when the line is none
 */
export function parseUniqueIdListing(line: Buffer): UniqueIdListing | null {
  const blank = line.indexOf(space);
  const number = blank === -1 ? null : parseMessageNumber(line.toString('latin1', 0, blank));
  let [start, end] = [blank, line.length];
  while (line[start] === space) start += 1;
  while (line[end - 1] === space) end -= 1;
  if (number === null || start >= end) return null;
  return { number, uniqueId: line.toString('latin1', start, end) };
}

/** RFC 1939 §7: one to 70 characters in the range 0x21 to 0x7E. */
export function isUniqueId(text: string): boolean {
  return text.length <= maxUniqueIdLength && /^[!-~]+$/.test(text);
}
