// A maildrop in memory, with the faults and the other programs that a test wants: messages that vanish, cannot be read,
// cannot be removed, or break off.

import type {
  Maildrop,
  MessageRecord,
  OpenMessage,
  RemovalResult,
} from '../../../src/maildrop/messages/maildrop.js';
import {
  countedOctets,
  knownOctets,
  unknownOctets,
} from '../../../src/maildrop/messages/octets.js';
import { asSent } from './as-sent.js';

interface MemoryMessage extends MessageRecord {
  readonly stored: Buffer;
  readonly id: string;
}

/** What makes one message awkward; each lasts until it is taken back with `undefined`. */
interface Faults {
  /** Removing it fails with this code. */
  removal?: string | undefined;
  /** Opening it fails with this code. */
  opening?: string | undefined;
  /** Reading it fails with EIO after so many bytes. */
  readableBytes?: number | undefined;
  /** Another program removes it when its octets are asked for, after the session looked. */
  vanishesWhenMeasured?: boolean | undefined;
}

export class MemoryMaildrop implements Maildrop {
  readonly records: readonly MemoryMessage[];
  readonly #stored: Map<MemoryMessage, Faults>;
  /** Set, every refresh fails with this code, as when somebody takes the Maildir's permissions away. */
  refreshFault: string | undefined;
  /** How often the session asked what other programs did. */
  refreshCount = 0;
  closeCount = 0;
  updateCount = 0;
  /** Message numbers that were sent whole, in order. */
  readonly retrieved: number[] = [];

  /** @param messages as a Maildir file holds them; unique-ids are `id-1`, `id-2`, … */
  constructor(messages: readonly (Buffer | string)[]) {
    this.records = messages.map((stored, index) => ({
      status: 'present',
      octets: unknownOctets,
      uniqueId: null,
      stored: Buffer.from(stored),
      id: `id-${index + 1}`,
    }));
    this.#stored = new Map(this.records.map((record) => [record, {}]));
  }

  /** The messages that exist now, whatever this session thinks of them. */
  contents(): string[] {
    return [...this.#stored.keys()].map(({ stored }) => stored.toString('latin1'));
  }

  /** Removes a message as another program does. */
  expunge(number: number): void {
    this.#stored.delete(this.#at(number));
  }

  /** Gives a message faults; fields that are not named stay as they were. */
  fault(number: number, faults: Faults): void {
    Object.assign(this.#stored.get(this.#at(number)) ?? {}, faults);
  }

  refresh(): undefined {
    this.refreshCount += 1;
    if (this.refreshFault !== undefined) throw systemError(this.refreshFault);
    for (const record of this.records) this.#notice(record);
  }

  measure(record: MessageRecord): undefined {
    const message = own(record);
    if (this.#stored.get(message)?.vanishesWhenMeasured === true) this.#stored.delete(message);
    this.#notice(message);
    if (message.status !== 'gone') message.octets = countedOctets(asSent(message.stored).length);
  }

  measureAll(): undefined {
    for (const record of this.records) this.measure(record);
  }

  measureForSending(record: MessageRecord): Promise<number> {
    if (record.octets === unknownOctets) this.measure(record);
    return Promise.resolve(knownOctets(record.octets));
  }

  assignUniqueIds(): undefined {
    for (const record of this.records) record.uniqueId = record.id;
  }

  nameOf(record: MessageRecord): string {
    return `file-of-${own(record).id}`;
  }

  async open(record: MessageRecord): Promise<OpenMessage | null> {
    const message = own(record);
    // As a Maildir that has to look for a renamed file.
    await Promise.resolve();
    this.#notice(message);
    const faults = this.#stored.get(message);
    if (faults === undefined) return null;
    if (faults.opening !== undefined) throw systemError(faults.opening);
    return openInMemory(message.stored, faults.readableBytes);
  }

  requireServable(): undefined {
    return undefined;
  }

  correctOctets(record: MessageRecord, octets: number): void {
    record.octets = countedOctets(octets);
  }

  noteRetrieved(record: MessageRecord): void {
    this.retrieved.push(this.records.indexOf(own(record)) + 1);
  }

  update(): Promise<RemovalResult> {
    this.updateCount += 1;
    const removed: MessageRecord[] = [];
    const failures: { record: MessageRecord; error: Error }[] = [];
    for (const record of this.records) {
      if (record.status !== 'marked') continue;
      const code = this.#stored.get(record)?.removal;
      if (code !== undefined) {
        failures.push({ record, error: systemError(code) });
        continue;
      }
      this.#stored.delete(record);
      record.status = 'gone';
      removed.push(record);
    }
    return Promise.resolve({ removed, failures });
  }

  close(): Promise<void> {
    this.closeCount += 1;
    return Promise.resolve();
  }

  #at(number: number): MemoryMessage {
    const record = this.records[number - 1];
    if (record === undefined) throw new RangeError(`no message ${number}`);
    return record;
  }

  #notice(record: MemoryMessage): void {
    if (!this.#stored.has(record)) record.status = 'gone';
  }
}

/** An error as system calls throw it. */
export function systemError(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: made by the test`), { code });
}

function openInMemory(stored: Buffer, readableBytes = Number.POSITIVE_INFINITY): OpenMessage {
  let at = 0;
  return {
    fileBytes: stored.length,
    read: (into) => {
      if (at >= readableBytes) throw systemError('EIO');
      const end = Math.min(at + into.length, stored.length, readableBytes);
      const length = stored.copy(into, 0, at, end);
      at += length;
      return length;
    },
    close: () => undefined,
  };
}

/** Records that come back from the session are the ones that this maildrop made. */
function own(record: MessageRecord): MemoryMessage {
  return record as MemoryMessage;
}
