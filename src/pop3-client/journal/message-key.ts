// Hashes that name an account, a message on its server and a message in the Maildir. What a server
// says reaches file names only through these. Pure.

import { createHash } from 'node:crypto';

/** Sixteen hex digits that stand for an account in file names. */
export function accountTag(account: string): string {
  return digest(8, 'account', account);
}

/**
 * 32 hex digits for a unique-id of an account: equal ids of one account give equal keys, and only
 * those.
 */
export function uniqueIdKey(account: string, uniqueId: string): string {
  return digest(16, 'unique-id', account, uniqueId);
}

/**
 * The 32 hex digits in a delivered message's name: the same for the same message of the same
 * account in every run.
 *
 * @param key what `uniqueIdKey` gave; null when the server gave no usable unique-id, so that the
 *   content alone counts
 * @param contentHash SHA-256 of the message as stored, trace header left out, hex
 */
export function deliveredKey(account: string, key: string | null, contentHash: string): string {
  return digest(16, 'delivered', account, key ?? '', contentHash);
}

function digest(octets: number, ...words: readonly string[]): string {
  // JSON keeps the words apart whatever they contain. What is cut off the digest is not formatted:
  // a slice of a string keeps all of it in memory.
  return createHash('sha256').update(JSON.stringify(words)).digest().toString('hex', 0, octets);
}
