// A maildrop that other programs change for as long as a soak lasts, and what must be in it afterwards.

import type { MaildirFixture } from '../support/mail/maildir-fixture.js';
import { builtProgram, startCommand, type Teardown } from '../support/programs/run-program.js';
import { follow } from './follow-churn.js';
import { Ledger } from './ledger.js';
import { contentOf, serialOf } from './numbered-message.js';

const messageCount = 200;
const operationsPerSecond = 25;

export class ChurnedMaildrop {
  readonly ledger = new Ledger();
  /** Marked by sessions that said QUIT and got no answer: each may be there or not. */
  readonly undecided = new Set<number>();
  readonly #inbox: MaildirFixture;
  readonly #ready: Promise<unknown>;
  readonly #end: Promise<number>;

  private constructor(t: Teardown, inbox: MaildirFixture, args: readonly number[]) {
    this.#inbox = inbox;
    const churn = startCommand(t, process.execPath, [
      builtProgram('test/torture/churn.js'),
      inbox.path,
      ...args.map(String),
    ]);
    const { ready, end } = follow(churn.stdout, this.ledger);
    this.#ready = ready;
    this.#end = end;
  }

  /** Returns once the first messages are there. */
  static async start(
    t: Teardown,
    inbox: MaildirFixture,
    { seed, budgetMs }: { readonly seed: number; readonly budgetMs: number },
  ): Promise<ChurnedMaildrop> {
    const args = [messageCount, operationsPerSecond, Math.ceil(budgetMs / 1000), seed];
    const maildrop = new ChurnedMaildrop(t, inbox, args);
    await maildrop.#ready;
    return maildrop;
  }

  /** Waits for the other programs and checks what is there. @returns what they did */
  async finish(failures: string[]): Promise<number> {
    const operations = await this.#end;
    const left = new Set<number>();
    for (const folder of ['new', 'cur'] as const) {
      for (const name of this.#inbox.names(folder)) {
        const serial = serialOf(name);
        left.add(serial);
        if (this.#inbox.read(folder, name).toString('latin1') !== contentOf(serial)) {
          failures.push(`${serial} has changed`);
        }
      }
    }
    const due = new Set(this.ledger.remaining());
    const lost = [...due].filter((serial) => !left.has(serial));
    const kept = [...left].filter((serial) => !due.has(serial) && !this.undecided.has(serial));
    if (lost.length > 0) failures.push(`lost: ${lost.join()}`);
    if (kept.length > 0) failures.push(`removed by what they were told, but there: ${kept.join()}`);
    const [missed, unlisted] = [this.ledger.falselyMissed(), this.ledger.falselyUnlisted()];
    if (missed.length > 0) failures.push(`called gone, but there: ${missed.length}`);
    if (unlisted.length > 0) failures.push(`not listed, but there: ${unlisted.join()}`);
    return operations;
  }
}
