// What the system says of a process under test: memory, and whether it still writes.

import { readFileSync } from 'node:fs';
import { poll } from '../suite/deadline.js';

/** Waits until a process has written nothing for a quarter of a second. */
export async function untilQuiet(pid: number): Promise<void> {
  let before = '';
  let sameCount = 0;
  await poll(`process ${pid} still writes`, () => {
    const written = /^wchar: \d+$/m.exec(readFileSync(`/proc/${pid}/io`, 'latin1'))?.[0] ?? '';
    sameCount = written === before ? sameCount + 1 : 0;
    before = written;
    return Promise.resolve(sameCount >= 25 ? true : undefined);
  });
}

/** The most physical memory that a process has had, in octets. */
export function peakMemory(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return 1024 * Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]);
}

/** As `peakMemory`; 0 when the process is gone. */
export function tryPeakMemory(pid: number): number {
  try {
    return peakMemory(pid) || 0;
  } catch {
    return 0;
  }
}
