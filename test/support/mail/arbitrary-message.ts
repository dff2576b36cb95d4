// What property tests draw: bytes rich in the characters that POP3 treats specially, and ways to cut them.

import fc from 'fast-check';
import { splitInto } from '../sessions/chunkings.js';

/** The same draws in every run, so that a failure is one for everybody. About a second at most. */
export const fixedDraws = { seed: 1939, numRuns: 1000 } as const;

/** Up to `maxLength` bytes, most of them dots, CRs and LFs. */
export function messageBytes(maxLength = 60): fc.Arbitrary<Buffer> {
  const special = fc.constantFrom(0x2e, 0x0d, 0x0a);
  const other = fc.constantFrom(0x61, 0x3a, 0x20, 0x00, 0x80, 0xff);
  const word = fc.constantFrom('\r\n', '\n', '\r\n.\r\n', '\n.\n', '\r\n\r\n', '..', 'a: b\r\n');
  return fc
    .array(
      fc.oneof(
        special.map((byte) => Buffer.of(byte)),
        other.map((byte) => Buffer.of(byte)),
        word.map((text) => Buffer.from(text)),
      ),
      { maxLength: Math.ceil(maxLength / 2) },
    )
    .map((pieces) => Buffer.concat(pieces).subarray(0, maxLength));
}

/** Bytes in pieces; whole as `bytes`. Some pieces may be empty, as a stream may deliver them. */
export function inPieces(
  bytes: fc.Arbitrary<Buffer>,
): fc.Arbitrary<{ readonly bytes: Buffer; readonly pieces: readonly Buffer[] }> {
  const lengths = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 8 });
  return fc.tuple(bytes, lengths, fc.nat(10)).map(([whole, cuts, emptyAt]) => ({
    bytes: whole,
    pieces: splitInto(whole, cuts).toSpliced(emptyAt, 0, Buffer.alloc(0)),
  }));
}
