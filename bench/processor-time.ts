// The processor time of all processes that this one started and theirs, from Linux's /proc.

import { readdirSync, readFileSync } from 'node:fs';

/** Linux counts in hundredths of a second here, whatever the kernel's own clock. */
const msPerTick = 10;

interface Times {
  readonly parent: number;
  readonly ticks: number;
  /** Of them, those of children that ended and were waited for. */
  readonly waitedTicks: number;
}

/** Milliseconds so far, those of descendants that ended and were waited for by a living one included. */
export function processorMsOfDescendants(): number {
  const processes = new Map<number, Times>();
  for (const name of readdirSync('/proc')) {
    const times = /^[0-9]+$/.test(name) ? timesOf(name) : null;
    if (times !== null) processes.set(Number(name), times);
  }
  let ticks = 0;
  for (const [pid, own] of processes) if (isDescendant(pid, processes)) ticks += own.ticks;
  return ticks * msPerTick;
}

/** Milliseconds so far of one process, all its threads included; NaN for one that ended. */
export function processorMsOf(pid: number): number {
  return (timesOf(String(pid))?.ticks ?? Number.NaN) * msPerTick;
}

/** Milliseconds so far of all processes that this one started and that ended. */
export function processorMsOfEnded(): number {
  return (timesOf('self')?.waitedTicks ?? Number.NaN) * msPerTick;
}

/** @returns null for a process that ended meanwhile */
function timesOf(pid: string): Times | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The command's name may hold spaces and parentheses; what is behind the last one has no more.
    const fields = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const [user = 0, system = 0, waitedUser = 0, waitedSystem = 0] = fields.slice(11, 15);
    const waitedTicks = waitedUser + waitedSystem;
    return { parent: fields[1] ?? 0, ticks: user + system + waitedTicks, waitedTicks };
  } catch {
    return null;
  }
}

function isDescendant(pid: number, processes: ReadonlyMap<number, Times>): boolean {
  for (let at = processes.get(pid)?.parent; at !== undefined; at = processes.get(at)?.parent) {
    if (at === process.pid) return true;
  }
  return false;
}
