// Pipes in states that a program may find its stderr in. A child's own pipes will not do: Node makes them of sockets.

import { execFileSync } from 'node:child_process';
import { chmodSync, closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { poll } from '../suite/deadline.js';

interface TestOwner {
  testdir(): string;
  teardown(handler: () => void): unknown;
}

/** A pipe held open by the test. */
export class PipeFixture {
  /** The end to pass to a child; it blocks, as a shell's pipes do. */
  readonly writeFd: number;
  readonly #bothEndsFd: number;
  #isOpen = true;

  constructor(t: TestOwner) {
    const path = join(t.testdir(), 'pipe');
    execFileSync('mkfifo', [path]);
    // As pipe(2) makes them: nobody else may open one.
    chmodSync(path, 0o600);
    this.#bothEndsFd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    this.writeFd = openSync(path, constants.O_WRONLY);
    t.teardown(() => {
      this.closeReader();
      closeSync(this.writeFd);
    });
  }

  /** Writes until no byte more fits. @returns how many did */
  fill(): number {
    let filled = 0;
    for (const size of [4096, 1]) {
      try {
        for (;;) filled += writeSync(this.#bothEndsFd, Buffer.alloc(size, '#'));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      }
    }
    return filled;
  }

  /** Reads what comes until `isEnough` says so of all of it. @throws Error when that takes too long */
  async read(isEnough: (text: string) => boolean): Promise<string> {
    let text = '';
    const chunk = Buffer.alloc(65_536);
    return poll('enough from the pipe', () => {
      try {
        text += chunk.toString('latin1', 0, readSync(this.#bothEndsFd, chunk));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      }
      return Promise.resolve(isEnough(text) ? text : undefined);
    });
  }

  /** From now on nobody reads. */
  closeReader(): void {
    if (this.#isOpen) closeSync(this.#bothEndsFd);
    this.#isOpen = false;
  }
}
