// The file of an account's journal: read whole, and replaced whole. What it says is added to by
// journal.ts.

import { close, constants, open, readFile, rename, unlink } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { syncData, syncDirectory, writeAll } from '../../maildir/deliver.js';
import { ConfigurationError, type TemporaryError } from '../../system/failures/failures.js';
import { fileFailure } from '../../system/failures/file-failure.js';
import { reasonOf } from '../settings/failures.js';
import { nothingLearned, type Learned } from '../talk/experience.js';
import { formatJournalLine, parseJournalLine, type StoredRecord } from './journal-format.js';
import { accountTag } from './message-key.js';
import { tryOpenOwnFile } from './own-file.js';

const openFile = promisify(open);
const closeFile = promisify(close);
const readDescriptor = promisify(readFile);
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
  /** What worked with this account's server. */
  readonly learned: Learned;
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
  let learned = nothingLearned;
  let isOurs = false;
  const text = await readText(journalPath(maildir, account));
  // What follows the last line end is a line that a crash cut off.
  for (const lineText of text.split('\n').slice(0, -1)) {
    const line = parseJournalLine(lineText);
    if (line?.kind === 'header') isOurs = line.account === account;
    if (line === null || !isOurs) continue;
    if (line.kind === 'record') addRecord(records, line.record);
    if (line.kind === 'suspect') suspects.set(line.key, (suspects.get(line.key) ?? 0) + 1);
    if (line.kind === 'tls') sawTls = true;
    if (line.kind === 'learned') learned = line.learned;
  }
  return { records, suspects, sawTls, learned, existed: isOurs };
}

/** What a line says of a message takes the place of what an earlier one said. */
export function addRecord(records: Map<string, StoredRecord>, record: StoredRecord): void {
  if (record.state === 'returned') records.delete(record.stamp);
  else records.set(record.stamp, record);
}

export function formatRecords(records: Iterable<StoredRecord>): string {
  return Array.from(records, (record) => formatJournalLine({ kind: 'record', record })).join('');
}

export interface OpenedFile {
  readonly fd: number;
  readonly length: number;
}

export function unwritable(
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

/** Writes the file anew. @throws the system's error; the old one then stands */
export async function replaceJournal(
  maildir: string,
  account: string,
  content: JournalContent,
): Promise<OpenedFile> {
  const lines = [formatJournalLine({ kind: 'header', account })];
  if (content.sawTls) lines.push(formatJournalLine({ kind: 'tls' }));
  if (content.learned !== nothingLearned) {
    lines.push(formatJournalLine({ kind: 'learned', learned: content.learned }));
  }
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

export function journalPath(maildir: string, account: string): string {
  return join(maildir, `pop3get.${accountTag(account)}.journal`);
}
