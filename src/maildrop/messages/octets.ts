// What is known of a message's octets. RFC 1939 §11: a message is as large as RETR sends it,
// byte-stuffing left out.

/** No message is sent as less: the line that ends an empty header. */
export const fewestOctets = 2;

declare const packed: unique symbol;

/**
 * One of three: unknown; named, when the file's name or size says so and nobody has read the
 * message; counted, when somebody has. It is no number, so that octets that are unknown cannot be
 * sent as 0. Packed into one, because a maildrop may have 100,000 messages: counted octets as they
 * are, unknown is -1, named octets lie below.
 */
export interface Octets {
  readonly [packed]: true;
}

const unknown = -1;

export const unknownOctets = pack(unknown);

/** @param octets 0 … 2^53 - 1, like those of `countedOctets` */
export function namedOctets(octets: number): Octets {
  return pack(unknown - 1 - octets);
}

export function countedOctets(octets: number): Octets {
  return pack(octets);
}

/** @returns null when they are unknown */
export function octetsIfKnown(octets: Octets): number | null {
  const value = unpack(octets);
  if (value === unknown) return null;
  return value >= 0 ? value : unknown - 1 - value;
}

/** @throws Error when they are unknown */
export function knownOctets(octets: Octets): number {
  const known = octetsIfKnown(octets);
  if (known === null) throw new Error('the octets of a message are unknown');
  return known;
}

export function areCounted(octets: Octets): boolean {
  return unpack(octets) >= 0;
}

function pack(value: number): Octets {
  return value as unknown as Octets;
}

function unpack(octets: Octets): number {
  return octets as unknown as number;
}
