// A session that does nothing but NOOP, a millisecond after each answer, on a thread of its own: how long others wait while
// one session keeps a worker busy. Posts 'ready' when it is logged in; on any message ends and posts the times, in ms.

import { parentPort, workerData } from 'node:worker_threads';
import { connectWireClient } from '../test/support/sessions/wire-client.js';

export interface NoopThreadData {
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

const { port, user, password } = workerData as NoopThreadData;
const client = await connectWireClient(port);
await client.login(user, password);
const times: number[] = [];
let isOver = false;
parentPort?.once('message', () => (isOver = true));
parentPort?.postMessage('ready');
const goesOn = (): boolean => !isOver;
while (goesOn()) {
  const start = performance.now();
  await client.ok('NOOP');
  times.push(performance.now() - start);
  await new Promise((resolve) => setTimeout(resolve, 1));
}
await client.ok('QUIT');
client.destroy();
parentPort?.postMessage(times);
