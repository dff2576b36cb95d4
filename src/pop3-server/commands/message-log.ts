// What a session did with its messages, one log line each, for --log-messages: "who deleted my
// mail?" and "why was it downloaded again?" are answered from these. Without the option nothing of
// this exists.

import type { Maildrop, MessageRecord, RemovalResult } from '../../maildrop/messages/maildrop.js';
import { octetsIfKnown } from '../../maildrop/messages/octets.js';
import type { LogFields } from '../../system/log/log-line.js';
import { Turns } from '../../system/runtime/turns.js';
import type { MessageNumber } from '../../wire/message-number.js';

/**
 * `whole`: all of it was handed to the system for sending. Whether it arrived only the client
 * knows.
 */
type Extent = 'no' | 'part' | 'whole';

/** What became of DELE; `marked` is for UPDATE to settle. */
type Deletion = 'no' | 'marked' | 'taken-back' | 'removed' | 'already-gone' | 'failed';

interface Treatment {
  readonly number: MessageNumber;
  retr: Extent;
  top: Extent;
  dele: Deletion;
  why: string | undefined;
}

export type ReportMessage = (fields: LogFields) => void;

/**
 * Keeps about a hundred octets for each message that the client asked for or marked, and nothing
 * for the others.
 */
export class MessageLog {
  readonly #treatments = new Map<MessageRecord, Treatment>();

  /**
   * RETR or TOP, as far as it got. A message that was sent whole once counts as sent whole, also
   * when a later attempt breaks off.
   */
  noteSent(
    record: MessageRecord,
    number: MessageNumber,
    { command, extent }: { readonly command: 'retr' | 'top'; readonly extent: 'part' | 'whole' },
  ): void {
    const treatment = this.#of(record, number);
    if (treatment[command] !== 'whole') treatment[command] = extent;
  }

  /** DELE. */
  noteMarked(record: MessageRecord, number: MessageNumber): void {
    this.#of(record, number).dele = 'marked';
  }

  /** RSET. */
  noteReset(): void {
    for (const treatment of this.#treatments.values()) {
      if (treatment.dele === 'marked') treatment.dele = 'taken-back';
    }
  }

  /** UPDATE. What was marked and neither removed nor a failure was gone already. */
  noteUpdate({ removed, failures }: RemovalResult): void {
    for (const record of removed) this.#settle(record, 'removed');
    for (const { record, error } of failures) this.#settle(record, 'failed', error.message);
    for (const treatment of this.#treatments.values()) {
      if (treatment.dele === 'marked') treatment.dele = 'already-gone';
    }
  }

  /**
   * UPDATE broke off: which of the marked messages were removed is not known, and the client got
   * -ERR.
   */
  noteUpdateFailed(why: string): void {
    for (const [record, { dele }] of this.#treatments) {
      if (dele === 'marked') this.#settle(record, 'failed', why);
    }
  }

  /**
   * Reports every message that was touched, in the order in which they were touched first. Never
   * rejects. Other sessions run meanwhile.
   */
  async write(maildrop: Maildrop, report: ReportMessage): Promise<void> {
    if (this.#treatments.size === 0) return;
    try {
      await maildrop.assignUniqueIds();
    } catch {
      // The lines have no unique-id then: UIDL would have failed as well.
    }
    const turns = new Turns();
    for (const [record, { number, retr, top, dele, why }] of this.#treatments) {
      report({
        number,
        uid: record.uniqueId ?? undefined,
        file: maildrop.nameOf(record),
        octets: octetsIfKnown(record.octets) ?? undefined,
        retr,
        top,
        dele: dele === 'marked' ? 'no-quit' : dele,
        why,
      });
      if (turns.isOver()) await turns.next();
    }
  }

  #of(record: MessageRecord, number: MessageNumber): Treatment {
    let treatment = this.#treatments.get(record);
    if (treatment === undefined) {
      treatment = { number, retr: 'no', top: 'no', dele: 'no', why: undefined };
      this.#treatments.set(record, treatment);
    }
    return treatment;
  }

  #settle(record: MessageRecord, dele: Deletion, why?: string): void {
    const treatment = this.#treatments.get(record);
    if (treatment === undefined) return;
    treatment.dele = dele;
    treatment.why = why;
  }
}
