// Descriptors that whoever started this process left open. None of them may reach the programs that
// it starts.

import { closeSync, readdirSync, readFileSync } from 'node:fs';

/** O_CLOEXEC as /proc shows it, octal, the same on all of Linux. */
const closeOnExec = 0o2000000;

/**
 * Closes every descriptor above 2 that would survive an exec, but for those in `kept`. Node marks
 * inherited ones as close-on-exec only up to the first gap after 15, and its own all along; so what
 * is found here is somebody else's. Without /proc nothing is done.
 */
export function closeInheritedDescriptors(kept: readonly number[]): void {
  for (const name of listDescriptors()) {
    const fd = Number(name);
    if (fd > 2 && !kept.includes(fd) && survivesExec(fd)) {
      try {
        closeSync(fd);
      } catch {
        // Closed meanwhile: it was the one that read the folder.
      }
    }
  }
}

/** How many descriptors are open now; 0 without /proc. */
export function countDescriptors(): number {
  return listDescriptors().length;
}

function listDescriptors(): readonly string[] {
  try {
    return readdirSync('/proc/self/fd');
  } catch {
    return [];
  }
}

function survivesExec(fd: number): boolean {
  try {
    const [, flags = ''] =
      /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1')) ?? [];
    return flags !== '' && (Number.parseInt(flags, 8) & closeOnExec) === 0;
  } catch {
    return false;
  }
}
