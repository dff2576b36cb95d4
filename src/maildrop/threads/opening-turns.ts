// Whose maildrop a thread for mail opens next. A thread is given a few at a time: what waits here
// can be given up, and then nobody does it. Otherwise a file system that was away for a while
// would come back to the work of all those who have left, and those who came meanwhile would leave
// as well.

/** Large maildrops must not hold up small ones. */
const mostAtOnce = 4;

interface Waiting {
  readonly begin: () => void;
  readonly giveUp: (error: Error) => void;
  ticks: number;
}

export class OpeningTurns {
  readonly #mostTicks: number;
  readonly #waiting = new Set<Waiting>();
  #underWay = 0;

  /** @param mostTicks so long somebody waits */
  constructor(mostTicks: number) {
    this.#mostTicks = mostTicks;
  }

  /**
   * Waits for a turn; the first to come is the first to have one.
   *
   * @returns to be called once, at the end of the turn
   * @throws Error when there was none in time, and what `giveUpAll` says
   */
  async take(): Promise<() => void> {
    if (this.#underWay < mostAtOnce) this.#underWay += 1;
    else {
      // Whoever ends a turn gives it to the next.
      await new Promise<void>((begin, giveUp) => this.#waiting.add({ begin, giveUp, ticks: 0 }));
    }
    return () => this.#end();
  }

  /** To be called at each tick of the time that counts. */
  tick(): void {
    for (const waiting of this.#waiting) {
      waiting.ticks += 1;
      if (waiting.ticks < this.#mostTicks) continue;
      this.#waiting.delete(waiting);
      waiting.giveUp(new Error('the file system with the mail has too much to do'));
    }
  }

  giveUpAll(error: Error): void {
    for (const { giveUp } of this.#waiting) giveUp(error);
    this.#waiting.clear();
  }

  #end(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#underWay -= 1;
    } else {
      this.#waiting.delete(next);
      next.begin();
    }
  }
}
