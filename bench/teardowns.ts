// What has to be undone when a part of the bench ends, or is interrupted: the last thing done first.

import type { Teardown } from '../test/support/programs/run-program.js';

export class Teardowns implements Teardown {
  readonly #handlers: (() => Promise<void>)[] = [];

  teardown(handler: () => Promise<void>): void {
    this.#handlers.push(handler);
  }

  /** Undoes all. What fails is reported on stderr and does not keep the rest from being undone. */
  async run(): Promise<void> {
    for (;;) {
      const handler = this.#handlers.pop();
      if (handler === undefined) return;
      await handler().catch((error: unknown) => {
        process.stderr.write(`bench: ${String(error)}\n`);
      });
    }
  }
}
