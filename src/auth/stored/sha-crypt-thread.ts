// The thread that computes SHA-crypt. One request in, one answer out, in order.

import { parentPort } from 'node:worker_threads';
import { shaCrypt } from './sha-crypt.js';

export interface ShaCryptRequest {
  readonly id: number;
  readonly password: Uint8Array;
  /** As of `shaCrypt`. */
  readonly setting: string;
}

export type ShaCryptAnswer =
  { readonly id: number; readonly hash: string } | { readonly id: number; readonly error: string };

parentPort?.on('message', ({ id, password, setting }: ShaCryptRequest) => {
  try {
    const hash = shaCrypt(Buffer.from(password), setting);
    parentPort?.postMessage({ id, hash } satisfies ShaCryptAnswer);
  } catch (error) {
    parentPort?.postMessage({ id, error: String(error) } satisfies ShaCryptAnswer);
  }
});
