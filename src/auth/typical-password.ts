// What a password of this database typically costs to verify: unknown users are made to cost the same, so that time does
// not tell who has an account.

import { randomBytes } from 'node:crypto';
import { newPasswordCosts } from './password-hash.js';
import {
  costOf,
  parseStoredPassword,
  UnusablePasswordError,
  type StoredPassword,
} from './stored-password.js';

/**
 * The first of the stored passwords whose scheme and cost are the most frequent.
 *
 * @param sample columns as stored; what cannot be used is passed over
 * @returns a password that fits nothing, as expensive as new ones, when the sample has none that can be used
 */
export function typicalPassword(sample: readonly string[]): StoredPassword {
  const counts = new Map<string, { readonly stored: StoredPassword; count: number }>();
  for (const text of sample) {
    const stored = tryParse(text);
    if (stored === null) continue;
    const cost = costOf(stored);
    const entry = counts.get(cost);
    if (entry === undefined) counts.set(cost, { stored, count: 1 });
    else entry.count += 1;
  }
  const [most] = [...counts.values()].sort((one, other) => other.count - one.count);
  return most?.stored ?? unmatchablePassword();
}

function tryParse(text: string): StoredPassword | null {
  try {
    return parseStoredPassword(text);
  } catch (error) {
    if (error instanceof UnusablePasswordError) return null;
    throw error;
  }
}

function unmatchablePassword(): StoredPassword {
  const { memoryCost, timeCost, parallelism } = newPasswordCosts.argon2;
  const [salt, tag] = [randomBytes(16), randomBytes(32)].map((bytes) =>
    bytes.toString('base64').replaceAll('=', ''),
  ) as [string, string];
  return parseStoredPassword(
    `$argon2id$v=19$m=${memoryCost},t=${timeCost},p=${parallelism}$${salt}$${tag}`,
  );
}
