// How many connections may wait before descriptors run out. Past the limit libuv would close connections without a word.

import { readFileSync } from 'node:fs';
import { countDescriptors } from '../system/inherited-descriptors.js';

/** For what comes and goes: the run file, the rules file, the pipes of a program being started, the syslog program's. */
const spare = 24;

/** How many more connections can be held with what is open now; 0 or more, Infinity when the limit is unlimited or unknown. */
export function descriptorBudget(): number {
  return Math.max(0, openFilesLimit() - countDescriptors() - spare);
}

function openFilesLimit(): number {
  try {
    const [, soft = ''] =
      /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'latin1')) ?? [];
    return /^[0-9]+$/.test(soft) ? Number(soft) : Infinity;
  } catch {
    return Infinity;
  }
}
