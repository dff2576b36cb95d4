// A maildrop whose files another thread opens, reads and removes. What the session knows of its
// messages is a copy, which each answer brings up to date.

import type { Maildrop, MessageRecord, OpenMessage, RemovalResult } from '../messages/maildrop.js';
import { countedOctets, unknownOctets } from '../messages/octets.js';
import type { Owner } from '../place/maildrop-owner.js';
import type { Place } from '../place/place.js';
import type { MaildropSettings, MaildropUser } from '../opened/open-place.js';
import { errorOf, type Calls, type Changes, type OpenedMessage } from './calls.js';
import type { Caller, MailThreadHandle } from './mail-thread-handle.js';

/** How often the thread is told, if so, that nobody waits for its answer. */
const stopPollMs = 500;
/** What machines cache of a shared file system may be as old: a look within it tells nothing. */
const lookAgainMs = 1000;

interface Copy extends MessageRecord {
  readonly index: number;
  readonly baseName: string;
}

export class ThreadedMaildrop implements Maildrop, Caller {
  readonly maildrop: number;
  readonly report: MaildropUser['report'];
  readonly #thread: MailThreadHandle;
  readonly #shouldStop: MaildropUser['shouldStop'];
  /** Those that this session could open, and need not be looked at before they are deleted. */
  readonly #opened = new Set<Copy>();
  #records: readonly Copy[] = [];
  /** The last call that its session did not want to wait for; null: the thread has had none. */
  #hurried: Promise<unknown> | null = null;
  #areIdsAssigned = false;
  /** When the last look that succeeded began; milliseconds of a clock that nobody sets. */
  #lookedMs = -Infinity;

  /** @param number that no other maildrop of that thread has */
  constructor(thread: MailThreadHandle, number: number, { report, shouldStop }: MaildropUser) {
    this.maildrop = number;
    this.report = report;
    this.#thread = thread;
    this.#shouldStop = shouldStop;
    thread.join(this);
  }

  get records(): readonly MessageRecord[] {
    return this.#records;
  }

  /** @throws as `ownerOf`; Error when the thread stands still or has no time */
  findOwner(place: Place): Promise<Owner> {
    return this.#hurry('owner', place);
  }

  /**
   * To be called once, before what a session calls.
   *
   * @throws as `openPlace` of open-place.ts; Error when the thread stands still or has no time
   */
  async openPlace(settings: MaildropSettings): Promise<void> {
    const startedMs = performance.now();
    const { baseNames, changes } = await this.#hurry('open', settings);
    this.#lookedMs = startedMs;
    this.#records = baseNames.map((baseName, index) => ({
      ...{ index, baseName, status: 'present', octets: unknownOctets, uniqueId: null },
    }));
    if (changes !== null) this.apply(changes);
  }

  /** Closes it when the thread has answered, which may be long after this: nobody waits for it. */
  abandon(): void {
    if (this.#hurried === null) this.#thread.leave(this);
    else void this.#hurried.catch(() => undefined).then(() => this.close());
  }

  apply({ indexes, areGone, octets, uniqueIds }: Changes): void {
    for (const [at, index] of indexes.entries()) {
      const record = this.#records[index];
      if (record === undefined) continue;
      record.octets = octets[at] ?? record.octets;
      record.uniqueId = uniqueIds[at] ?? null;
      if (areGone[at] === true) record.status = 'gone';
    }
  }

  refresh(): undefined | Promise<void> {
    return performance.now() - this.#lookedMs < lookAgainMs ? undefined : this.#look();
  }

  async measure(record: MessageRecord): Promise<void> {
    await this.#call('measure', asCopy(record).index);
  }

  async measureAll(): Promise<void> {
    await this.#call('measure', null);
  }

  measureForSending(record: MessageRecord, fileBytes: number): Promise<number> {
    return this.#call('measureForSending', { index: asCopy(record).index, fileBytes });
  }

  async assignUniqueIds(): Promise<void> {
    if (this.#areIdsAssigned) return;
    await this.#call('assignUniqueIds', null);
    this.#areIdsAssigned = true;
  }

  nameOf(record: MessageRecord): string {
    return asCopy(record).baseName;
  }

  async open(record: MessageRecord): Promise<OpenMessage | null> {
    const copy = asCopy(record);
    if (copy.status === 'gone') return null;
    const message = await this.#call('openMessage', copy.index);
    this.#opened.add(copy);
    if (message === null) return null;
    return new MessageOfThread(message, {
      read: (bytes) => this.#call('read', bytes),
      close: () => this.#tell('closeMessage', null),
    });
  }

  async requireServable(record: MessageRecord): Promise<void> {
    const copy = asCopy(record);
    if (!this.#opened.has(copy)) await this.#call('requireServable', copy.index);
  }

  correctOctets(record: MessageRecord, octets: number): void {
    record.octets = countedOctets(octets);
    this.#tell('correctOctets', { index: asCopy(record).index, octets });
  }

  noteRetrieved(record: MessageRecord): void {
    this.#tell('noteRetrieved', asCopy(record).index);
  }

  async update(): Promise<RemovalResult> {
    const marked = this.#records.filter(({ status }) => status === 'marked');
    const result = await this.#call(
      'update',
      marked.map(({ index }) => index),
    );
    return {
      removed: result.removed.map((index) => this.#at(index)),
      failures: result.failures.map(({ index, failure }) => ({
        record: this.#at(index),
        error: errorOf(failure),
      })),
    };
  }

  async close(): Promise<void> {
    await this.#call('close', null).catch(() => undefined);
    this.#thread.leave(this);
  }

  async #look(): Promise<void> {
    const startedMs = performance.now();
    await this.#call('refresh', null);
    this.#lookedMs = startedMs;
  }

  #at(index: number): Copy {
    const record = this.#records[index];
    if (record === undefined) throw new RangeError(`no message ${index + 1}`);
    return record;
  }

  /** What it comes to is not of interest: a thread that ended fails the next call too. */
  #tell<What extends keyof Calls>(what: What, given: Calls[What][0]): void {
    this.#thread.call(this, what, given).catch(() => undefined);
  }

  async #hurry<What extends 'owner' | 'open'>(
    what: What,
    given: Calls[What][0],
  ): Promise<Calls[What][1]> {
    const endTurn = await this.#thread.takeTurn();
    const answer = this.#call(what, given);
    this.#hurried = answer;
    // The thread is busy with it also when nobody waits any more.
    void answer.then(endTurn, endTurn);
    return this.#thread.unlessStandingStill(answer);
  }

  async #call<What extends keyof Calls>(
    what: What,
    given: Calls[What][0],
  ): Promise<Calls[What][1]> {
    const poll = setInterval(() => {
      if (this.#shouldStop()) this.#tell('stop', null);
    }, stopPollMs).unref();
    try {
      return await this.#thread.call(this, what, given);
    } finally {
      clearInterval(poll);
    }
  }
}

/** A message of which the other thread reads what is not here yet. */
class MessageOfThread implements OpenMessage {
  readonly fileBytes: number;
  readonly close: () => void;
  readonly #readOn: (bytes: number) => Promise<Uint8Array>;
  #unread: Uint8Array;
  #bytesLeft: number;

  constructor(
    { fileBytes, start }: OpenedMessage,
    { read, close }: { read: (bytes: number) => Promise<Uint8Array>; close: () => void },
  ) {
    this.fileBytes = fileBytes;
    this.#unread = start;
    this.#bytesLeft = fileBytes - start.length;
    this.#readOn = read;
    this.close = start.length < fileBytes ? close : () => undefined;
  }

  async makeReady(bytes: number): Promise<void> {
    const wanted = Math.min(bytes - this.#unread.length, this.#bytesLeft);
    if (wanted <= 0) return;
    const next = await this.#readOn(wanted);
    this.#bytesLeft -= next.length;
    this.#unread = this.#unread.length === 0 ? next : Buffer.concat([this.#unread, next]);
  }

  read(into: Buffer): number {
    const length = Math.min(into.length, this.#unread.length);
    into.set(this.#unread.subarray(0, length));
    this.#unread = this.#unread.subarray(length);
    return length;
  }
}

/** Records that come back from the session are the ones that this maildrop made. */
function asCopy(record: MessageRecord): Copy {
  return record as Copy;
}
