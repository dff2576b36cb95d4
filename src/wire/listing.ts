// The lines of LIST and UIDL: "number SP octets" and "number SP unique-id". RFC 1939 §5, §7.

import { maxUniqueIdLength } from './limits.js';
import { parseMessageNumber, type MessageNumber } from './message-number.js';

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

/** RFC 1939 §5 lets servers add information after the octets; it is ignored. @returns null when the line is none */
export function parseScanListing(line: Buffer): ScanListing | null {
  const [first = '', second = ''] = line.toString('latin1').split(/ +/);
  const number = parseMessageNumber(first);
  if (number === null || !/^[0-9]{1,15}$/.test(second)) return null;
  return { number, octets: Number(second) };
}

export function formatUniqueIdListing(number: MessageNumber, uniqueId: string): string {
  return `${number} ${uniqueId}`;
}

/** @returns null when the line is none or its unique-id is not 1 to 70 characters of 0x21 to 0x7E */
export function parseUniqueIdListing(line: Buffer): UniqueIdListing | null {
  // Takes time in proportion to the line's length, whatever a server makes of the spaces.
  const parts = /^([0-9]+) +([!-~]+) *$/.exec(line.toString('latin1'));
  const [, first = '', uniqueId = ''] = parts ?? [];
  const number = parseMessageNumber(first);
  return number === null || !isUniqueId(uniqueId) ? null : { number, uniqueId };
}

/** RFC 1939 §7: one to 70 characters in the range 0x21 to 0x7E. */
export function isUniqueId(text: string): boolean {
  return text.length <= maxUniqueIdLength && /^[!-~]+$/.test(text);
}
