// Programs whose clock is another one than the machine's.

import { execFileSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const source = new URL(
  '../../../../../test/support/cluster/parts/shifted-clock.c',
  import.meta.url,
);

export class ShiftedClock {
  readonly #library: string;

  /** @param folder for the library, which is compiled into it */
  constructor(folder: string) {
    this.#library = join(folder, 'shifted-clock.so');
    const words = ['-shared', '-fPIC', '-O2', '-o', this.#library, fileURLToPath(source)];
    execFileSync('cc', words);
    chmodSync(this.#library, 0o755);
  }

  /** @param seconds that the clock is ahead; negative: behind @returns words for env(1) */
  variables(seconds: number): readonly string[] {
    return seconds === 0 ? [] : [`LD_PRELOAD=${this.#library}`, `SHIFT_CLOCK=${seconds}`];
  }
}
