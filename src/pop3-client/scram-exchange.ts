// SCRAM-SHA-256 from the client's side. RFC 5802, RFC 7677. Without channel binding.

import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto';
import { saslprep } from '@mongodb-js/saslprep';
import type { Credentials } from './login.js';
import type { SaslExchange } from './sasl.js';

/** RFC 7677 §4 asks for at least 4096; more than the upper bound is an attack on our time. */
const minIterations = 4096;
const maxIterations = 2_000_000;

export class ScramExchange implements SaslExchange {
  readonly name = 'SCRAM-SHA-256';
  readonly #password: string;
  readonly #clientNonce: string;
  readonly #firstBare: string;
  #serverSignature: Buffer | null = null;
  #isComplete = false;

  /** @param clientNonce printable, without commas; made up when left out */
  constructor(credentials: Credentials, clientNonce = randomBytes(18).toString('base64')) {
    this.#password = credentials.password;
    this.#clientNonce = clientNonce;
    const user = prepare(credentials.user).replace(/=/g, '=3D').replace(/,/g, '=2C');
    this.#firstBare = `n=${user},r=${clientNonce}`;
  }

  initialResponse(): Buffer {
    return Buffer.from(`n,,${this.#firstBare}`);
  }

  answer(challenge: Buffer): Buffer | null {
    return this.#serverSignature === null ? this.#prove(challenge) : this.#verify(challenge);
  }

  isComplete(): boolean {
    return this.#isComplete;
  }

  #prove(challenge: Buffer): Buffer | null {
    const serverFirst = challenge.toString();
    const parts = /^r=([!-+\--~]+),s=([A-Za-z0-9+/]+=*),i=([0-9]{1,9})(?:,|$)/.exec(serverFirst);
    const [, nonce = '', salt = '', count = ''] = parts ?? [];
    const iterations = Number(count);
    const isAcceptable =
      nonce.startsWith(this.#clientNonce) &&
      nonce.length > this.#clientNonce.length &&
      iterations >= minIterations &&
      iterations <= maxIterations;
    if (!isAcceptable) return null;
    const salted = pbkdf2Sync(
      prepare(this.#password),
      Buffer.from(salt, 'base64'),
      iterations,
      32,
      'sha256',
    );
    const finalBare = `c=biws,r=${nonce}`; // biws: base64 of "n,,"
    const exchange = `${this.#firstBare},${serverFirst},${finalBare}`;
    const clientKey = hmac(salted, 'Client Key');
    const signature = hmac(createHash('sha256').update(clientKey).digest(), exchange);
    this.#serverSignature = hmac(hmac(salted, 'Server Key'), exchange);
    const proof = clientKey.map((byte, index) => byte ^ (signature[index] ?? 0));
    return Buffer.from(`${finalBare},p=${Buffer.from(proof).toString('base64')}`);
  }

  #verify(challenge: Buffer): Buffer | null {
    const verifier = /^v=([A-Za-z0-9+/]+=*)(?:,|$)/.exec(challenge.toString())?.[1] ?? '';
    const given = Buffer.from(verifier, 'base64');
    const expected = this.#serverSignature;
    if (expected?.length !== given.length || !timingSafeEqual(given, expected)) return null;
    this.#isComplete = true;
    return Buffer.alloc(0);
  }
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

/** RFC 5802 §2.2: SASLprep; text that it forbids goes as it is, and the server decides. */
function prepare(text: string): string {
  try {
    return saslprep(text);
  } catch {
    return text;
  }
}
