// How many descriptors this process may have open: getrlimit(2), RLIMIT_NOFILE.

import { readFileSync } from 'node:fs';

/**
 * The soft limit, which may change at any time.
 *
 * @returns Infinity when it is unlimited or unknown
 */
export function openFilesLimit(): number {
  try {
    const limits = readFileSync('/proc/self/limits', 'latin1');
    const [, soft = ''] = /^Max open files\s+([0-9]+)/m.exec(limits) ?? [];
    return soft === '' ? Infinity : Number(soft);
  } catch {
    return Infinity;
  }
}
