// What a password of this database typically costs to verify: unknown users are made to cost the same, so that time does
// not tell who has an account.

import { randomBytes } from 'node:crypto';
import { newPasswordCosts } from './password-hash.js';
import { costOf, parseStoredPassword, UnusablePasswordError } from './stored-password.js';

/**
 * The first of the stored passwords whose scheme and cost are the most frequent.
 *
 * @param sample columns as stored; what cannot be used is passed over
 * @returns as stored; one that fits nothing, as expensive as new ones, when the sample has none that can be used
 */
export function typicalPassword(sample: readonly string[]): string {
  const counts = new Map<string, { readonly text: string; count: number }>();
  for (const text of sample) {
    const cost = tryCost(text);
    if (cost === null) continue;
    const entry = counts.get(cost);
    if (entry === undefined) counts.set(cost, { text, count: 1 });
    else entry.count += 1;
  }
  const [most] = [...counts.values()].sort((one, other) => other.count - one.count);
  return most?.text ?? unmatchablePassword();
}

function tryCost(text: string): string | null {
  try {
    return costOf(parseStoredPassword(text));
  } catch (error) {
    if (error instanceof UnusablePasswordError) return null;
    throw error;
  }
}

function unmatchablePassword(): string {
  const { memoryCost, timeCost, parallelism } = newPasswordCosts.argon2;
  const [salt, tag] = [randomBytes(16), randomBytes(32)].map((bytes) =>
    bytes.toString('base64').replaceAll('=', ''),
  ) as [string, string];
  return `{ARGON2ID}$argon2id$v=19$m=${memoryCost},t=${timeCost},p=${parallelism}$${salt}$${tag}`;
}
