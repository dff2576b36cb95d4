// AssemblyScript, compiled to WebAssembly by the build: the two loops of multiline.ts over every
// octet of every message, sixteen octets at a time. Same results as the plain loops there, which
// are used where WebAssembly has no SIMD.

const lf: u8 = 0x0a;
const cr: u8 = 0x0d;
const dot: u8 = 0x2e;

/** States between two calls: at the start of a line, after a CR. */
const atLineStart: i32 = 1;
const afterCr: i32 = 2;

let stateAfter: i32 = 0;
let stuffedCount: i32 = 0;

/** The state after the last call of `encode`. */
export function state(): i32 {
  return stateAfter;
}

/** The dots that the last call of `encode` doubled. */
export function stuffed(): i32 {
  return stuffedCount;
}

/**
 * LF to CRLF, dots at line starts doubled. The output has room for twice the input and 16 octets
 * more: whole vectors are stored, and what is too much is overwritten by the next.
 *
 * @returns octets written at `output`
 */
export function encode(input: usize, length: i32, output: usize, stateBefore: i32): i32 {
  const end = input + length;
  const lfs = i8x16.splat(lf);
  let from = input;
  let to = output;
  let dots = 0;
  let isAtLineStart = (stateBefore & atLineStart) != 0;
  let previousIsCr = (stateBefore & afterCr) != 0;
  while (from < end) {
    if (isAtLineStart && load<u8>(from) == dot) {
      store<u8>(to++, dot);
      dots++;
    }
    isAtLineStart = false;
    // Up to the next LF, vector by vector.
    let mask = 0;
    while (from + 16 <= end) {
      const octets = v128.load(from);
      mask = i8x16.bitmask(i8x16.eq(octets, lfs));
      v128.store(to, octets);
      if (mask != 0) break;
      from += 16;
      to += 16;
      previousIsCr = load<u8>(from - 1) == cr;
    }
    if (mask != 0) {
      const plain = ctz(mask);
      from += plain;
      to += plain;
      if (plain != 0) previousIsCr = load<u8>(from - 1) == cr;
    } else {
      while (from < end && load<u8>(from) != lf) {
        const octet = load<u8>(from++);
        store<u8>(to++, octet);
        previousIsCr = octet == cr;
      }
      if (from == end) break;
    }
    if (!previousIsCr) store<u8>(to++, cr);
    store<u8>(to++, lf);
    from++;
    previousIsCr = false;
    isAtLineStart = true;
  }
  stateAfter = (isAtLineStart ? atLineStart : 0) | (previousIsCr ? afterCr : 0);
  stuffedCount = dots;
  return <i32>(to - output);
}

/**
 * Counts the LFs that no CR precedes.
 *
 * @param previousIsCr 1 when the octet before the input was a CR, else 0
 */
export function countBareLineFeeds(input: usize, length: i32, previousIsCr: i32): i32 {
  const end = input + length;
  const lfs = i8x16.splat(lf);
  const crs = i8x16.splat(cr);
  let from = input;
  let carry = previousIsCr;
  let count = 0;
  while (from + 16 <= end) {
    const octets = v128.load(from);
    const lineFeeds = i8x16.bitmask(i8x16.eq(octets, lfs));
    const returns = i8x16.bitmask(i8x16.eq(octets, crs));
    count += popcnt(lineFeeds & ~((returns << 1) | carry));
    carry = (returns >> 15) & 1;
    from += 16;
  }
  while (from < end) {
    const octet = load<u8>(from++);
    if (octet == lf && carry == 0) count++;
    carry = octet == cr ? 1 : 0;
  }
  return count;
}
