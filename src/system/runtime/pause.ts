// A wait that costs a timer and nothing else, and that can be cut short.

/** For one waiter at a time. */
export class Pause {
  #end: () => void = () => undefined;

  /** Resolves after `ms` milliseconds, at once where they are over, or when `end` is called. */
  async last(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.max(0, ms));
      this.#end = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Does nothing when nobody waits. */
  end(): void {
    this.#end();
  }
}
