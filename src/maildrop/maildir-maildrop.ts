// A maildrop kept in a Maildir: octets, unique-ids, reading and removing on top of the live view.

import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readSync,
  renameSync,
  unlinkSync,
} from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { flagsOf, wireOctetsIn, withFlag } from '../maildir/base-name.js';
import { OctetCounter } from '../wire/multiline.js';
import { MaildirView, type MaildirMessage } from './maildir-view.js';
import type { Maildrop, MessageRecord, OpenMessage, RemovalResult } from './maildrop.js';
import { readOctetsCache, writeOctetsCache } from './octets-cache.js';
import { assignUniqueIdsFromBaseNames } from './unique-ids.js';

export interface MaildirMaildropOptions {
  /** Makes all unique-ids known; from base names when absent. */
  readonly assignUniqueIds?: (inbox: string, messages: readonly MaildirMessage[]) => Promise<void>;
  /** Whether UPDATE gives retrieved messages the S flag. */
  readonly marksSeen: boolean;
  /** Told of what costs a message or time but not the session, for the log. */
  readonly report: (event: string, fields: Readonly<Record<string, string | number>>) => void;
}

/** Work that is done before the rest of the process gets a turn. */
const turnMs = 5;
const chunkBytes = 256 * 1024;

/** A file that is renamed faster than it can be opened is looked for this often. */
const maxChases = 20;

/** Counted octets that are worth a rewrite of the cache by themselves. */
const octetsWorthRemembering = 1024 * 1024;

/**
 * Opens a user's Maildir.
 *
 * @param inbox path as latin1 bytes; where there is nothing, the maildrop is empty
 * @throws MaildropRefused; the system's error
 */
export async function openMaildirMaildrop(
  inbox: string,
  options: MaildirMaildropOptions,
): Promise<Maildrop> {
  const view = await MaildirView.open(inbox);
  return view === null ? emptyMaildrop : new MaildirMaildrop(inbox, view, options);
}

class MaildirMaildrop implements Maildrop {
  readonly records: readonly MaildirMessage[];
  readonly #inbox: string;
  readonly #view: MaildirView;
  readonly #options: MaildirMaildropOptions;
  readonly #retrieved = new Set<MaildirMessage>();
  readonly #buffer = sharedBuffer;
  #isCacheRead = false;
  #cachedCount = 0;
  #newlyCounted = 0;
  #newlyCountedOctets = 0;

  constructor(inbox: string, view: MaildirView, options: MaildirMaildropOptions) {
    this.#inbox = inbox;
    this.#view = view;
    this.#options = options;
    this.records = view.messages;
  }

  refresh(): undefined | Promise<void> {
    return this.#view.refresh();
  }

  measure(record: MessageRecord): undefined | Promise<void> {
    return record.octets === null ? this.#measureSome([asOwn(record)]) : undefined;
  }

  measureAll(): undefined | Promise<void> {
    const unknown = this.records.filter(
      ({ octets, status }) => octets === null && status !== 'gone',
    );
    return unknown.length === 0 ? undefined : this.#measureSome(unknown);
  }

  assignUniqueIds(): undefined | Promise<void> {
    if (this.records.every(({ uniqueId }) => uniqueId !== null)) return undefined;
    return this.#options.assignUniqueIds === undefined
      ? assignUniqueIdsFromBaseNames(this.records)
      : this.#options.assignUniqueIds(this.#inbox, this.records);
  }

  open(record: MessageRecord): OpenMessage | Promise<OpenMessage | null> | null {
    const message = asOwn(record);
    if (message.status === 'gone') return null;
    return this.#tryOpen(message) ?? this.#chase(message, () => this.#tryOpen(message));
  }

  correctOctets(record: MessageRecord, octets: number): void {
    const message = asOwn(record);
    if (message.octets !== null) {
      this.#report('octets-corrected', message, { believed: message.octets, octets });
    }
    this.#remember(message, octets);
  }

  noteRetrieved(record: MessageRecord): void {
    if (this.#options.marksSeen) this.#retrieved.add(asOwn(record));
  }

  async update(): Promise<RemovalResult> {
    let removedCount = 0;
    const failures: { record: MessageRecord; error: Error }[] = [];
    const turns = new Turns();
    for (const message of this.records) {
      if (message.status !== 'marked') continue;
      try {
        const isOurs = await this.#actOnFile(message, (path) => unlinkSync(path));
        message.status = 'gone';
        if (isOurs) removedCount += 1;
      } catch (error) {
        failures.push({ record: message, error: error as Error });
        this.#report('remove-failed', message, { error: (error as Error).message });
      }
      await turns.giveWay();
    }
    for (const message of this.#retrieved) {
      if (message.status === 'present') await this.#flagSeen(message);
      await turns.giveWay();
    }
    return { removedCount, failures };
  }

  async close(): Promise<void> {
    const isWorthWriting =
      this.#newlyCounted * 64 > this.#cachedCount ||
      this.#newlyCountedOctets >= octetsWorthRemembering;
    if (this.#newlyCounted === 0 || !isWorthWriting) return;
    this.#newlyCounted = 0;
    try {
      await writeOctetsCache(this.#inbox, this.#entriesToRemember());
    } catch (error) {
      this.#options.report('octets-not-remembered', { error: (error as Error).message });
    }
  }

  *#entriesToRemember(): Generator<readonly [string, number]> {
    for (const { baseName, octets, isCounted, status } of this.records) {
      if (isCounted && octets !== null && status !== 'gone') yield [baseName, octets];
    }
  }

  async #measureSome(messages: readonly MaildirMessage[]): Promise<void> {
    await this.#readCache();
    const turns = new Turns();
    for (const message of messages) {
      if (message.octets !== null) continue;
      const promised = wireOctetsIn(message.baseName);
      if (promised === null) await this.#count(message, turns);
      else message.octets = promised;
      await turns.giveWay();
    }
  }

  async #readCache(): Promise<void> {
    if (this.#isCacheRead) return;
    this.#isCacheRead = true;
    const byBaseName = new Map(this.records.map((message) => [message.baseName, message]));
    this.#cachedCount = await readOctetsCache(this.#inbox, (baseName, octets) => {
      const message = byBaseName.get(baseName);
      if (message === undefined || message.isCounted) return;
      message.octets = octets;
      message.isCounted = true;
    });
  }

  async #count(message: MaildirMessage, turns: Turns): Promise<void> {
    let file;
    try {
      file = await this.open(message);
    } catch (error) {
      this.#countUnreadable(message, error as Error);
      return;
    }
    if (file === null) {
      message.octets = 0;
      return;
    }
    try {
      const counter = new OctetCounter();
      for (;;) {
        const length = file.read(this.#buffer);
        if (length === 0) break;
        counter.add(this.#buffer.subarray(0, length));
        await turns.giveWay();
      }
      this.#remember(message, counter.total());
    } catch (error) {
      this.#countUnreadable(message, error as Error);
    } finally {
      file.close();
    }
  }

  /** The message is listed all the same, by its size; RETR will say why it cannot be had. */
  #countUnreadable(message: MaildirMessage, error: Error): void {
    this.#report('unreadable', message, { error: error.message });
    try {
      message.octets = lstatSync(this.#view.pathOf(message)).size;
    } catch {
      message.octets = 0;
    }
  }

  #remember(message: MaildirMessage, octets: number): void {
    message.octets = octets;
    message.isCounted = true;
    this.#newlyCounted += 1;
    this.#newlyCountedOctets += octets;
  }

  /** @returns null when the file is not where it was */
  #tryOpen(message: MaildirMessage): OpenMessage | null {
    let fd;
    try {
      fd = openSync(
        this.#view.pathOf(message),
        constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
      );
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
    const stats = fstatSync(fd);
    if (!stats.isFile()) {
      closeSync(fd);
      throw new Error('not a regular file');
    }
    return {
      fileBytes: stats.size,
      read: (into) => readSync(fd, into, 0, into.length, null),
      close: () => closeSync(fd),
    };
  }

  /** Follows a file that was renamed, as often as it takes within reason. @returns null when it is gone */
  async #chase<T>(message: MaildirMessage, attempt: () => T | null): Promise<T | null> {
    for (let chases = 0; chases < maxChases; chases += 1) {
      await this.#view.rescan();
      if (message.status === 'gone') return null;
      const result = attempt();
      if (result !== null) return result;
    }
    throw new Error('the file is renamed faster than it can be followed');
  }

  /** Does something to a message's file, wherever it is now. @returns false when it is gone, which is no error */
  async #actOnFile(message: MaildirMessage, act: (path: Buffer) => void): Promise<boolean> {
    const attempt = (): true | null => {
      try {
        act(this.#view.pathOf(message));
        return true;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
        throw error;
      }
    };
    return (attempt() ?? (await this.#chase(message, attempt))) !== null;
  }

  async #flagSeen(message: MaildirMessage): Promise<void> {
    if (message.subdirectory === 'cur' && flagsOf(message.name).includes('S')) return;
    try {
      await this.#actOnFile(message, (path) => {
        const name = withFlag(message.name, 'S');
        renameSync(path, Buffer.from(`${this.#inbox}/cur/${name}`, 'latin1'));
        message.subdirectory = 'cur';
        message.name = name;
      });
    } catch (error) {
      this.#report('mark-seen-failed', message, { error: (error as Error).message });
    }
  }

  #report(
    event: string,
    message: MaildirMessage,
    fields: Readonly<Record<string, string | number>>,
  ): void {
    this.#options.report(event, { file: message.name, ...fields });
  }
}

/** Lets the rest of the process run when enough was done. */
class Turns {
  #startedMs = performance.now();

  async giveWay(): Promise<void> {
    if (performance.now() - this.#startedMs < turnMs) return;
    await nextTurn();
    this.#startedMs = performance.now();
  }
}

/** Files are read, and counted, between two turns of the event loop: one buffer serves all sessions. */
const sharedBuffer = Buffer.allocUnsafeSlow(chunkBytes);

/** Records that come back from the session are the ones that this maildrop made. */
function asOwn(record: MessageRecord): MaildirMessage {
  return record as MaildirMessage;
}

const emptyMaildrop: Maildrop = {
  records: [],
  refresh: () => undefined,
  measure: () => undefined,
  measureAll: () => undefined,
  assignUniqueIds: () => undefined,
  open: () => null,
  correctOctets: () => undefined,
  noteRetrieved: () => undefined,
  update: () => Promise.resolve({ removedCount: 0, failures: [] }),
  close: () => Promise.resolve(),
};
