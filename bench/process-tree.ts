// Processes and the memory that they take, from /proc (Linux).

import { readdirSync, readFileSync } from 'node:fs';

/** The processes that a process started and that still run. */
export function childrenOf(pid: number): readonly number[] {
  return [...parents()].filter(([, parent]) => parent === pid).map(([child]) => child);
}

/**
 * What a process and all that descend from it take: the sum of their proportional set sizes, in which a page that n
 * processes share counts 1/n for each. KiB.
 */
export function treeMemoryKiB(pid: number): number {
  const all = [...parents()];
  const tree = new Set([pid]);
  for (let size = 0; size < tree.size;) {
    size = tree.size;
    for (const [child, parent] of all) if (tree.has(parent)) tree.add(child);
  }
  return [...tree].reduce((sum, member) => sum + memoryKiB(member), 0);
}

function memoryKiB(pid: number): number {
  return kibibytesOf(pid, 'Pss');
}

/** Heap and stacks of a process: what no file can give back, whoever else runs the same program. */
export function ownMemoryKiB(pid: number): number {
  return kibibytesOf(pid, 'Anonymous');
}

/** A field of /proc/PID/smaps_rollup; 0 for a process that ended. */
function kibibytesOf(pid: number, field: 'Pss' | 'Anonymous'): number {
  const rollup = tryRead(`/proc/${pid}/smaps_rollup`);
  return Number(new RegExp(`^${field}:\\s+([0-9]+) kB$`, 'm').exec(rollup)?.[1] ?? 0);
}

/** The parent of each process. */
function parents(): ReadonlyMap<number, number> {
  const found = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^[0-9]+$/.test(name)) continue;
    // After the command's name, which may hold anything: state and parent, proc(5).
    const stat = /^.*\) \S ([0-9]+) /s.exec(tryRead(`/proc/${name}/stat`));
    if (stat !== null) found.set(Number(name), Number(stat[1]));
  }
  return found;
}

/** Empty for a process that ended meanwhile. */
function tryRead(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
