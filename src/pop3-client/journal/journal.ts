// What was stored and may still be on the server, one text file per account in the Maildir. Only
// added to, and made durable, before the server is told to delete; now and then replaced whole.
// Losing it costs a download, never a message.

import { close, constants, fstatSync, ftruncate } from 'node:fs';
import { promisify } from 'node:util';
import { syncData, writeAll } from '../../maildir/deliver.js';
import type { Learned } from '../talk/experience.js';
import {
  addRecord,
  formatRecords,
  journalPath,
  replaceJournal,
  unwritable,
  type JournalContent,
  type OpenedFile,
} from './journal-file.js';
import { formatJournalLine, type StoredRecord } from './journal-format.js';
import { tryOpenOwnFile } from './own-file.js';

const closeFile = promisify(close);
const truncateFile = promisify(ftruncate);

/**
 * An account's journal, open for adding. What is in memory is what is on the disk. The account's
 * lock must be held.
 */
export class Journal {
  readonly #maildir: string;
  readonly #account: string;
  #fd: number;
  /** Octets of whole lines; what a failed append left behind them is cut off. */
  #length: number;
  readonly #existed: boolean;
  #records: Map<string, StoredRecord>;
  #suspects: Map<string, number>;
  #sawTls: boolean;
  #learned: Learned;
  /** Stamps of what was stored since the opening. */
  readonly #added = new Set<string>();

  private constructor(
    maildir: string,
    account: string,
    opened: OpenedFile,
    content: JournalContent,
  ) {
    this.#maildir = maildir;
    this.#account = account;
    this.#fd = opened.fd;
    this.#length = opened.length;
    this.#existed = content.existed;
    this.#records = new Map(content.records);
    this.#suspects = new Map(content.suspects);
    this.#sawTls = content.sawTls;
    this.#learned = content.learned;
  }

  /**
   * Opens the journal and adds what a recovery found. It is written anew, without what no longer
   * counts, when there is room for that.
   *
   * @throws ConfigurationError or TemporaryError when it cannot be written: nothing may be deleted
   *   then
   */
  static async open(
    maildir: string,
    account: string,
    content: JournalContent,
    recovered: readonly StoredRecord[],
  ): Promise<Journal> {
    const records = new Map(content.records);
    for (const record of recovered) records.set(record.stamp, record);
    const whole = { ...content, records };
    try {
      const opened = await replaceJournal(maildir, account, whole);
      return new Journal(maildir, account, opened, whole);
    } catch (error) {
      if (!content.existed) throw unwritable(maildir, account, error);
    }
    try {
      const file = tryOpenOwnFile(journalPath(maildir, account), constants.O_RDWR);
      if (file === null) throw new Error('it is gone');
      const opened = { fd: file.fd, length: file.size };
      const journal = new Journal(maildir, account, opened, whole);
      // A line that a crash cut off gets an end, so that the next one stands alone.
      await journal.#append(`\n${formatRecords(recovered)}`);
      return journal;
    } catch (error) {
      throw unwritable(maildir, account, error);
    }
  }

  get content(): JournalContent {
    return {
      ...{ records: this.#records, suspects: this.#suspects },
      ...{ sawTls: this.#sawTls, learned: this.#learned, existed: this.#existed },
    };
  }

  /** Whether a message was stored since the journal was opened. */
  hasAdded({ stamp }: StoredRecord): boolean {
    return this.#added.has(stamp);
  }

  /**
   * Adds records and waits until they are on the disk.
   *
   * @throws the system's error; then none of them counts
   */
  async addRecords(records: readonly StoredRecord[]): Promise<void> {
    await this.#append(formatRecords(records));
    this.#note(records);
  }

  /** As `addRecords`, but for a crash of the machine before `sync`. */
  async addRecordsUnsynced(records: readonly StoredRecord[]): Promise<void> {
    await this.#write(formatRecords(records));
    this.#note(records);
  }

  /** Makes durable what was added. */
  async sync(): Promise<void> {
    await syncData(this.#fd);
  }

  #note(records: readonly StoredRecord[]): void {
    for (const record of records) {
      addRecord(this.#records, record);
      if (record.state !== 'handing' && record.state !== 'returned') this.#added.add(record.stamp);
    }
  }

  async addSuspects(keys: readonly string[]): Promise<void> {
    await this.#append(keys.map((key) => formatJournalLine({ kind: 'suspect', key })).join(''));
    for (const key of keys) this.#suspects.set(key, (this.#suspects.get(key) ?? 0) + 1);
  }

  async addTls(): Promise<void> {
    await this.#append(formatJournalLine({ kind: 'tls' }));
    this.#sawTls = true;
  }

  /** Of several such lines the last one counts. */
  async addLearned(learned: Learned): Promise<void> {
    await this.#append(formatJournalLine({ kind: 'learned', learned }));
    this.#learned = learned;
  }

  /**
   * Replaces records and suspects, atomically.
   *
   * @throws the system's error; the old journal then stands
   */
  async replace(
    records: readonly StoredRecord[],
    suspects: ReadonlyMap<string, number>,
  ): Promise<void> {
    const byStamp = new Map(records.map((record) => [record.stamp, record]));
    await this.#replace({ ...this.content, records: byStamp, suspects });
    this.#records = byStamp;
    this.#suspects = new Map(suspects);
  }

  async close(): Promise<void> {
    await closeFile(this.#fd);
  }

  async #replace(content: JournalContent): Promise<void> {
    const { fd, length } = await replaceJournal(this.#maildir, this.#account, content);
    await closeFile(this.#fd);
    this.#fd = fd;
    this.#length = length;
  }

  async #append(text: string): Promise<void> {
    await this.#write(text);
    if (text === '') return;
    const before = this.#length - Buffer.byteLength(text, 'latin1');
    try {
      await syncData(this.#fd);
    } catch (error) {
      this.#length = before;
      await truncateFile(this.#fd, before).catch(() => undefined);
      throw error;
    }
  }

  async #write(text: string): Promise<void> {
    if (text === '') return;
    const bytes = Buffer.from(text, 'latin1');
    try {
      // A copy of the Maildir may consist of hard links. Its journal must not name messages that it
      // lacks.
      if (fstatSync(this.#fd).nlink > 1) await this.#replace(this.content);
      await writeAll(this.#fd, bytes, this.#length);
      this.#length += bytes.length;
    } catch (error) {
      await truncateFile(this.#fd, this.#length).catch(() => undefined);
      throw error;
    }
  }
}
