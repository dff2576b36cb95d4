// A thread that counts octets until the task it was started with has no messages left, and then
// ends.

import { parentPort, workerData } from 'node:worker_threads';
import { Counting, type CountingTask } from './counting-task.js';

const counting = new Counting(workerData as CountingTask);
while (counting.countNext());
// The thread takes longer to end than to send this message.
parentPort?.postMessage('done');
