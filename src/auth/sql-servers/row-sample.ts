// Stored passwords of some accounts, kept for a while, so that made-up accounts can look like those
// that exist. Two samples that differ in few rows give the same row for most positions: each row
// has a number of its own, and the one wins that makes the greatest number with the position.

import { createHash } from 'node:crypto';

export class RowSample {
  readonly #rows: readonly { readonly stored: string; readonly number: number }[];

  constructor(stored: readonly string[]) {
    this.#rows = [...new Set(stored)].map((text) => ({
      stored: text,
      number: createHash('sha256').update(text).digest().readUInt32BE(),
    }));
  }

  /** As AccountSource.pick. */
  pick(position: bigint, accepts: (stored: string) => boolean): string | null {
    const low = Number(BigInt.asUintN(32, position));
    const ranked = this.#rows
      .map(({ stored, number }) => ({ stored, score: mixed((number ^ low) >>> 0) }))
      .sort((one, other) => other.score - one.score);
    return ranked.find(({ stored }) => accepts(stored))?.stored ?? null;
  }
}

/** MurmurHash3's last step: each bit of the result depends on all bits. */
function mixed(number: number): number {
  let bits = number;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
