// The ways in which the same bytes can arrive: whatever reads bytes must not notice the difference.

export interface Chunking {
  readonly name: string;
  readonly split: (bytes: Buffer) => Buffer[];
}

/** Whole, one byte at a time, and in pieces of 2, 3, 7, 1, 13, 5 … bytes. */
export const chunkings: readonly Chunking[] = [
  { name: 'whole', split: (bytes) => [bytes] },
  { name: 'one byte at a time', split: (bytes) => splitInto(bytes, [1]) },
  { name: 'in odd chunks', split: (bytes) => splitInto(bytes, [2, 3, 7, 1, 13, 5, 64, 1, 1021]) },
];

/** Cuts bytes into pieces whose lengths repeat `lengths`; the last piece may be shorter. */
export function splitInto(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = lengths[pieces.length % lengths.length] ?? 1;
    pieces.push(bytes.subarray(at, at + length));
    at += length;
  }
  return pieces;
}
