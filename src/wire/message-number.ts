// Decimal numbers as POP3 writes them: message numbers and line counts. RFC 1939 §5, §7 (TOP).

import { maxMessageNumber } from './limits.js';

declare const brand: unique symbol;

/** 1 to n, as spoken on the wire; fixed for the session. */
export type MessageNumber = number & { readonly [brand]: 'MessageNumber' };

/** The number of the message at an index from 0. */
export function messageNumberAt(index: number): MessageNumber {
  return (index + 1) as MessageNumber;
}

/** The index from 0 of a message in a list of all. */
export function indexOf(number: MessageNumber): number {
  return number - 1;
}

/**
 * Reads a message number: digits only, no sign, not 0, at most 2,147,483,647. Leading zeros,
 * however many, are accepted.
 *
 * @returns null for anything else; whether such a message exists is for the maildrop to say
 */
export function parseMessageNumber(text: string): MessageNumber | null {
  const number = parseDecimal(text);
  return number === null || number === 0 ? null : (number as MessageNumber);
}

/** Reads TOP's line count: digits only, 0 to 2,147,483,647. @returns null for anything else */
export function parseLineCount(text: string): number | null {
  return parseDecimal(text);
}

function parseDecimal(text: string): number | null {
  const significant = /^0*([0-9]{1,10})$/.exec(text)?.[1];
  if (significant === undefined) return null;
  const number = Number(significant);
  return number <= maxMessageNumber ? number : null;
}
