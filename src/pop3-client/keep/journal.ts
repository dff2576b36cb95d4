// What was stored and may still be on the server, one text file per account in the Maildir. Only
// added to, and made durable, before the server is told to delete; now and then replaced whole.
// Losing it costs a download, never a message.

import { close, constants, fstatSync, ftruncate, open, readFile, rename, unlink } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { syncData, syncDirectory, writeAll } from '../../maildir/deliver.js';
import { fileFailure } from '../../system/failures/file-failure.js';
import { reasonOf } from '../settings/failures.js';
import { formatJournalLine, parseJournalLine, type StoredRecord } from './journal-format.js';
import { accountTag } from './message-key.js';
import { tryOpenOwnFile } from './own-file.js';
import { ConfigurationError, type TemporaryError } from '../../system/failures/failures.js';

const openFile = promisify(open);
const closeFile = promisify(close);
const readDescriptor = promisify(readFile);
const truncateFile = promisify(ftruncate);
const renameFile = promisify(rename);
const unlinkFile = promisify(unlink);

/**
 * Four times what a run can add: a record is 182 octets at most, and a listing is cut at 200,000
 * messages.
 */
const maxJournalOctets = 128 * 1024 * 1024;

/** What a journal says. */
export interface JournalContent {
  /** By their stamps. */
  readonly records: ReadonlyMap<string, StoredRecord>;
  /** Keys of messages on whose account sessions ended, and how often. */
  readonly suspects: ReadonlyMap<string, number>;
  readonly sawTls: boolean;
  /**
   * False when there was no journal of this account; then the Maildir itself is searched for what
   * was stored.
   */
  readonly existed: boolean;
}

/**
 * Reads an account's journal. A line that is not whole, or of another account, says nothing.
 *
 * @throws ConfigurationError when it is too large, no regular file or not ours to read, else
 *   TemporaryError; both name it
 */
export async function readJournal(maildir: string, account: string): Promise<JournalContent> {
  const records = new Map<string, StoredRecord>();
  const suspects = new Map<string, number>();
  let sawTls = false;
  let isOurs = false;
  const text = await readText(journalPath(maildir, account));
  // What follows the last line end is a line that a crash cut off.
  for (const lineText of text.split('\n').slice(0, -1)) {
    const line = parseJournalLine(lineText);
    if (line?.kind === 'header') isOurs = line.account === account;
    if (line === null || !isOurs) continue;
    if (line.kind === 'record') records.set(line.record.stamp, line.record);
    if (line.kind === 'suspect') suspects.set(line.key, (suspects.get(line.key) ?? 0) + 1);
    if (line.kind === 'tls') sawTls = true;
  }
  return { records, suspects, sawTls, existed: isOurs };
}

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
      ...{ sawTls: this.#sawTls, existed: this.#existed },
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
    for (const record of records) {
      this.#records.set(record.stamp, record);
      this.#added.add(record.stamp);
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
    if (text === '') return;
    const bytes = Buffer.from(text, 'latin1');
    try {
      // A copy of the Maildir may consist of hard links. Its journal must not name messages that it
      // lacks.
      if (fstatSync(this.#fd).nlink > 1) await this.#replace(this.content);
      await writeAll(this.#fd, bytes, this.#length);
      await syncData(this.#fd);
      this.#length += bytes.length;
    } catch (error) {
      await truncateFile(this.#fd, this.#length).catch(() => undefined);
      throw error;
    }
  }
}

function formatRecords(records: Iterable<StoredRecord>): string {
  return Array.from(records, (record) => formatJournalLine({ kind: 'record', record })).join('');
}

interface OpenedFile {
  readonly fd: number;
  readonly length: number;
}

function unwritable(
  maildir: string,
  account: string,
  error: unknown,
): ConfigurationError | TemporaryError {
  const path = journalPath(maildir, account);
  return fileFailure(error, `cannot write ${path}: ${reasonOf(error)}; nothing was fetched`);
}

async function readText(path: string): Promise<string> {
  const file = tryOpenOwnFile(path, constants.O_RDONLY);
  if (file === null) return '';
  try {
    if (file.size > maxJournalOctets) {
      throw new ConfigurationError(
        `${path} has ${file.size} octets, more than a journal of pop3get's can have: remove it`,
      );
    }
    return await readDescriptor(file.fd, 'latin1');
  } catch (error) {
    throw fileFailure(error, `cannot read ${path}: ${reasonOf(error)}`);
  } finally {
    await closeFile(file.fd);
  }
}

async function replaceJournal(
  maildir: string,
  account: string,
  content: JournalContent,
): Promise<OpenedFile> {
  const lines = [formatJournalLine({ kind: 'header', account })];
  if (content.sawTls) lines.push(formatJournalLine({ kind: 'tls' }));
  lines.push(formatRecords(content.records.values()));
  for (const [key, count] of content.suspects) {
    lines.push(...Array<string>(count).fill(formatJournalLine({ kind: 'suspect', key })));
  }
  const bytes = Buffer.from(lines.join(''), 'latin1');
  const path = journalPath(maildir, account);
  const fd = await createAnew(`${path}.tmp`);
  try {
    await writeAll(fd, bytes, 0);
    await syncData(fd);
    await renameFile(`${path}.tmp`, path);
    await syncDirectory(maildir);
  } catch (error) {
    await closeFile(fd);
    await unlinkFile(`${path}.tmp`).catch(() => undefined);
    throw error;
  }
  return { fd, length: bytes.length };
}

/**
 * The account's lock is held, so the name is nobody else's: what is there was left by a run that
 * died, or put in the way.
 */
async function createAnew(path: string): Promise<number> {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL;
  try {
    return await openFile(path, flags, 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  await unlinkFile(path);
  return openFile(path, flags, 0o600);
}

function journalPath(maildir: string, account: string): string {
  return join(maildir, `pop3get.${accountTag(account)}.journal`);
}
