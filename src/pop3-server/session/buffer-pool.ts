// Buffers for chunks that are on their way to a peer, used again: fresh memory costs more than
// filling it.

/** What the encoder makes of the largest chunk that is read. */
const bufferBytes = 512 * 1024 + 64;

/** More than these are left to the garbage collector. */
const maxFree = 8;

const free: Buffer[] = [];

/** @returns a buffer of `bufferBytes`, with whatever is in it */
export function takeBuffer(): Buffer {
  return free.pop() ?? Buffer.allocUnsafeSlow(bufferBytes);
}

/** Nobody may hold a view of it any more. */
export function giveBackBuffer(buffer: Buffer): void {
  if (free.length < maxFree) free.push(buffer);
}
