// SHA-crypt on a thread of its own, started at the first use, so that 20 ms of hashing (or 2 s, for
// high rounds) hold up no other session.

import { Worker } from 'node:worker_threads';
import type { ShaCryptAnswer, ShaCryptRequest } from './sha-crypt-thread.js';

interface Pending {
  resolve(hash: string): void;
  reject(error: Error): void;
}

let thread: Worker | undefined;
let lastId = 0;
const pending = new Map<number, Pending>();

/**
 * Hashes a password, as `shaCrypt` does.
 *
 * @param setting `$5$` or `$6$`, optional `rounds=N$`, and the salt; no more
 * @returns the whole crypt(3) string
 * @throws Error when the thread fails or the setting is malformed
 */
export function shaCryptOnThread(password: Buffer, setting: string): Promise<string> {
  thread ??= startThread();
  const worker = thread;
  const id = ++lastId;
  return new Promise((resolve, reject) => {
    pending.set(id, { resolve, reject });
    // An idle thread does not keep the process alive; a thread that is still hashing does.
    worker.ref();
    worker.postMessage({
      id,
      password: Uint8Array.from(password),
      setting,
    } satisfies ShaCryptRequest);
  });
}

function startThread(): Worker {
  const worker = new Worker(new URL('./sha-crypt-thread.cjs', import.meta.url), { execArgv: [] });
  worker.on('message', (answer: ShaCryptAnswer) => {
    const waiter = pending.get(answer.id);
    pending.delete(answer.id);
    if (pending.size === 0) worker.unref();
    if ('hash' in answer) waiter?.resolve(answer.hash);
    else waiter?.reject(new Error(answer.error));
  });
  const fail = (error: Error): void => {
    if (thread === worker) thread = undefined;
    const lost = [...pending.values()];
    pending.clear();
    for (const waiter of lost) waiter.reject(error);
  };
  worker.on('error', fail);
  worker.on('exit', () => fail(new Error('the SHA-crypt thread ended')));
  return worker;
}
