// SHA256-CRYPT and SHA512-CRYPT: "Unix crypt using SHA-256 and SHA-512" by Ulrich Drepper, version
// 0.6, whose step numbers the comments give. Takes as long as its rounds: for a thread of its own,
// see sha-crypt-worker.ts.

import * as crypto from 'node:crypto';

const algorithms = {
  5: { name: 'sha256', octets: 32 },
  6: { name: 'sha512', octets: 64 },
} as const;

/**
 * Hashes a password.
 *
 * @param setting `$5$` or `$6$`, optional `rounds=N$`, and the salt; what follows the salt is not
 *   looked at
 * @returns the whole crypt(3) string
 * @throws Error for a malformed setting
 */
export function shaCrypt(password: Buffer, setting: string): string {
  const parts = /^\$([56])\$(?:rounds=([0-9]{1,9})\$)?([^$]{0,16})/.exec(setting);
  if (parts === null) throw new Error('malformed setting of SHA-crypt');
  const { name, octets } = algorithms[parts[1] === '5' ? 5 : 6];
  const rounds = parts[2] === undefined ? 5000 : Math.max(1000, Number(parts[2]));
  const salt = Buffer.from(parts[3] ?? '');
  const hash = hasher(name);

  const b = hash(Buffer.concat([password, salt, password])); // 4 to 8
  const bits = Array.from(password.length.toString(2)).reverse();
  const a = hash(
    Buffer.concat([
      password,
      salt,
      repeat(b, password.length), // 9, 10
      ...(password.length === 0 ? [] : bits.map((bit) => (bit === '1' ? b : password))), // 11
    ]),
  );
  const p = repeat(hash(repeat(password, password.length ** 2)), password.length); // 13 to 16
  const s = repeat(hash(repeat(salt, salt.length * (16 + (a[0] ?? 0)))), salt.length); // 17 to 20
  const digest = mix(a, { rounds, p, s, hash });
  const roundsText = parts[2] === undefined ? '' : `rounds=${rounds}$`;
  return `$${parts[1]}$${roundsText}${salt.toString()}$${encode(digest, octets)}`;
}

type Hash = (data: Buffer) => Buffer;

/** Node's one-shot function, which came with 20.12, takes half the time. */
function hasher(name: 'sha256' | 'sha512'): Hash {
  const { hash } = crypto as { hash?: typeof crypto.hash };
  if (hash !== undefined) return (data) => hash(name, data, 'buffer');
  return (data) => crypto.createHash(name).update(data).digest();
}

/** The octets over and over, cut off at a length. */
function repeat(octets: Buffer, length: number): Buffer {
  return Buffer.alloc(length, octets);
}

/**
 * Step 21. What a round hashes repeats every 42 rounds but for the last digest, which is put into
 * its place.
 */
function mix(
  a: Buffer,
  { rounds, p, s, hash }: { rounds: number; p: Buffer; s: Buffer; hash: Hash },
): Buffer {
  const templates = Array.from({ length: 42 }, (_, round) => {
    const isOdd = round % 2 === 1;
    const between = [...(round % 3 === 0 ? [] : [s]), ...(round % 7 === 0 ? [] : [p])];
    const octets = Buffer.concat(isOdd ? [p, ...between, a] : [a, ...between, p]);
    return { octets, place: isOdd ? octets.length - a.length : 0 };
  });
  let digest = a;
  for (let round = 0; round < rounds; round += 1) {
    const template = templates[round % 42];
    if (template === undefined) break;
    template.octets.set(digest, template.place);
    digest = hash(template.octets);
  }
  return digest;
}

const alphabet = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** Step 22: three octets as four characters, the lowest six bits first. */
function encode(digest: Buffer, octets: 32 | 64): string {
  const third = Math.floor(octets / 3);
  let text = '';
  const add = (indices: readonly number[], characters: number): void => {
    let value = indices.reduce((sum, index) => sum * 256 + (digest[index] ?? 0), 0);
    for (let count = 0; count < characters; count += 1) {
      text += alphabet[value % 64] ?? '';
      value = Math.floor(value / 64);
    }
  };
  // The first octet of each three comes from another third each time: SHA-256 counts them down,
  // SHA-512 up.
  for (let index = 0; index < third; index += 1) {
    const thirds = [index, index + third, index + 2 * third];
    const turn = octets === 32 ? (3 - (index % 3)) % 3 : index % 3;
    add([...thirds.slice(turn), ...thirds.slice(0, turn)], 4);
  }
  if (octets === 32) add([31, 30], 3);
  else add([63], 2);
  return text;
}
