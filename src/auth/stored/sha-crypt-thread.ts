// The thread that computes SHA-crypt: its library is synchronous. One request in, one answer out, in order.

import { parentPort } from 'node:worker_threads';
import { encrypt } from 'unixcrypt';

export interface ShaCryptRequest {
  readonly id: number;
  readonly password: Uint8Array;
  /** `$5$…` or `$6$…` with rounds and salt; what follows the salt is not looked at. */
  readonly setting: string;
}

export type ShaCryptAnswer =
  { readonly id: number; readonly hash: string } | { readonly id: number; readonly error: string };

parentPort?.on('message', ({ id, password, setting }: ShaCryptRequest) => {
  try {
    // The library's type asks for a string, its code hashes any bytes; a string would change those that are not UTF-8.
    const bytes = Buffer.from(password) as unknown as string;
    parentPort?.postMessage({ id, hash: encrypt(bytes, setting) } satisfies ShaCryptAnswer);
  } catch (error) {
    parentPort?.postMessage({ id, error: String(error) } satisfies ShaCryptAnswer);
  }
});
