// From what a command came to, to the octets of its reply. RFC 1939 §3, RFC 2449 §8.

import { CountingStopped } from '../../maildrop/messages/counting-stopped.js';
import type { MessageLog } from '../commands/message-log.js';
import type { ErrorOutcome, Reply } from '../commands/outcome.js';
import { formatChallenge, formatResponse, type ResponseCode } from '../../wire/response.js';
import { defaultTexts, type Texts, type TextValues } from '../texts/texts.js';
import type { ErrorBudget } from './error-budget.js';
import { sendListing } from './listing-sender.js';
import { sendMessage } from './message-sender.js';
import type { SessionTally } from './session-log.js';
import type { SessionOutput } from './session-output.js';

type MessageReply = Extract<Reply, { kind: 'message' }>;

export interface StatusText {
  readonly text: string;
  readonly values?: TextValues;
  readonly code?: ResponseCode;
}

export class Replies {
  readonly #budget: ErrorBudget;
  readonly #tally: SessionTally;
  readonly #messages: MessageLog | null;
  readonly #output: SessionOutput;
  #texts = defaultTexts();

  /** @param messages told what was sent of each message; null when nobody wants to know */
  constructor(
    output: SessionOutput,
    budget: ErrorBudget,
    tally: SessionTally,
    messages: MessageLog | null,
  ) {
    this.#output = output;
    this.#budget = budget;
    this.#tally = tally;
    this.#messages = messages;
  }

  /** @param texts of all replies from now on. RFC 6856 §3 */
  speak(texts: Texts): void {
    this.#texts = texts;
  }

  status(isOk: boolean, { text, values, code }: StatusText): void {
    this.#output.write(formatResponse(isOk, this.#texts.format(text, values), code));
  }

  challenge(challenge: Buffer): void {
    this.#output.write(formatChallenge(challenge));
  }

  /**
   * Writes one reply; the error that uses up the peer's budget is answered with why the session
   * ends.
   *
   * @throws BrokenOff when the reply must stay without its end
   */
  write(reply: Reply): undefined | Promise<void> {
    switch (reply.kind) {
      case 'ok':
        this.status(true, reply);
        return undefined;
      case 'error':
        this.#error(reply);
        return undefined;
      case 'listing':
        this.status(true, reply);
        return sendListing(reply.lines, this.#output);
      case 'message':
        return this.#message(reply);
    }
  }

  #error(outcome: ErrorOutcome): void {
    if (outcome.isBad === true) this.#budget.addBadCommand();
    const { excess } = this.#budget;
    this.status(false, excess === null ? outcome : { text: excess });
  }

  async #message(reply: MessageReply): Promise<void> {
    const { maildrop, record, number } = reply;
    const command = reply.bodyLines === null ? 'retr' : 'top';
    const note = (extent: 'part' | 'whole'): void =>
      this.#messages?.noteSent(record, number, { command, extent });
    let sent;
    try {
      sent = await sendMessage(reply, maildrop, this.#output, this.#texts);
    } catch (failure) {
      // Nothing was sent, and nobody waits for it.
      if (failure instanceof CountingStopped) return;
      note('part');
      throw failure;
    }
    if ('kind' in sent) {
      this.#error(sent);
      return;
    }
    this.#tally[command].add(sent.octets);
    if (this.#messages === null) return;
    // A reply that waits for others to leave with it may never leave.
    await this.#output.flush();
    note(sent.isWhole && !this.#output.isDead ? 'whole' : 'part');
  }
}
