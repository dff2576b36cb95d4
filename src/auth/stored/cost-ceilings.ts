// The most that one verification may cost, about two seconds of one core each. Whoever can write
// the database could otherwise stop the server with a single row.

import { UnusablePasswordError } from './unusable-password.js';

export const costCeilings = {
  /** KiB of memory, and KiB times passes: Argon2, and yescrypt and scrypt with what corresponds. */
  memory: 262_144,
  memoryWork: 1_048_576,
  argon2Lanes: 16,
  /** Base 2 logarithm of the rounds. */
  bcrypt: 14,
  /** passlib's default for SHA512-CRYPT is 656,000. */
  shaCryptRounds: 1_000_000,
  pbkdf2Rounds: 5_000_000,
  scramIterations: 2_000_000,
} as const;

/** @throws UnusablePasswordError when a cost is above its ceiling; `text` tells the cost */
export function requireCost(
  scheme: string,
  text: string,
  ...costs: readonly (readonly [cost: number, ceiling: number])[]
): void {
  if (costs.some(([cost, ceiling]) => cost > ceiling)) {
    throw new UnusablePasswordError(`stored ${scheme} password costs too much to verify (${text})`);
  }
}
