// Unique-ids from base names. RFC 1939 §7 (UIDL); pop3d(8), --uidl filename.

import { createHash } from 'node:crypto';
import { withoutSizes } from '../../maildir/base-name.js';
import { isUniqueId } from '../../wire/listing.js';
import { tinySteps, Turns } from '../../system/runtime/turns.js';

/** A message as far as its unique-id is concerned. */
export interface Identifiable {
  /** latin1 bytes; no two messages of a maildrop have the same. */
  readonly baseName: string;
  uniqueId: string | null;
}

/**
 * The base name without sizes when that is a legal unique-id, else 43 characters of base64url
 * SHA-256 of it.
 */
export function uniqueIdFromBaseName(baseName: string): string {
  const candidate = withoutSizes(baseName);
  return isUniqueId(candidate) ? candidate : hashOf(candidate);
}

/**
 * Gives every message the id of its base name. Where two would have the same (they differ in `,S=`
 * only, or somebody named a file after a hash), the later one gets the hash of its whole base name,
 * and so on: no two are ever the same.
 */
export async function assignUniqueIdsFromBaseNames(
  messages: readonly Identifiable[],
): Promise<void> {
  const turns = new Turns(tinySteps);
  // Base names are unique: as long as no id is anything else, there is nothing to compare.
  let areAllBaseNames = true;
  for (const message of messages) {
    const uniqueId = uniqueIdFromBaseName(message.baseName);
    areAllBaseNames &&= uniqueId === message.baseName;
    message.uniqueId = uniqueId;
    if (turns.isOver()) await turns.next();
  }
  if (!areAllBaseNames) await separateEqualIds(messages, turns);
}

async function separateEqualIds(messages: readonly Identifiable[], turns: Turns): Promise<void> {
  const taken = new Set<string>();
  for (const message of messages) {
    let uniqueId = message.uniqueId ?? uniqueIdFromBaseName(message.baseName);
    for (let round = 0; taken.has(uniqueId); round += 1) {
      uniqueId = hashOfBaseName(message.baseName, round);
    }
    taken.add(uniqueId);
    message.uniqueId = uniqueId;
    if (turns.isOver()) await turns.next();
  }
}

/** An id of the whole base name, sizes and all; another one for each round. */
export function hashOfBaseName(baseName: string, round: number): string {
  return hashOf(`${baseName}${'\n'.repeat(round)}`);
}

function hashOf(bytes: string): string {
  return createHash('sha256').update(bytes, 'latin1').digest('base64url');
}
