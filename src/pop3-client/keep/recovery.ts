// After a crash: what the last run left in tmp. A tmp file that has a second link was delivered and is recorded now;
// one that has none was not, and goes.

import { createHash } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { removeTmp, syncDirectory } from '../../maildir/deliver.js';
import { Journal, readJournal } from './journal.js';
import type { StoredRecord } from './journal-format.js';
import { accountTag } from './message-key.js';
import { tryOpenOwnFile } from './own-file.js';
import { traceHeaderLength } from './trace-header.js';
import { TemporaryError } from '../../system/failures/failures.js';

/** The base name of a message in tmp: it says whose it is, so that a later run of the same account can tell what it was. */
export function formatTmpName(
  stamp: string,
  account: string,
  key: string | null,
  host: string,
): string {
  return `${stamp}A${accountTag(account)}${key === null ? '' : `K${key}`}.${host}`;
}

/** The base name of a message in new. @param delivered what `deliveredKey` gave */
export function formatDeliveredName(stamp: string, delivered: string, host: string): string {
  return `${stamp}U${delivered}.${host}`;
}

/** The 32 hex digits of a name that `formatDeliveredName` made, in any Maildir folder; null for another's name. */
export function parseDeliveredName(fileName: string): string | null {
  return /^[0-9]{1,12}\.M[0-9]{6}U([0-9a-f]{32})\./.exec(fileName)?.[1] ?? null;
}

export interface Leftovers {
  /** Delivered by a run that died before it could record them; new is synced, so they are durable. */
  readonly delivered: readonly StoredRecord[];
  /** The names to remove from tmp once those are in the journal. */
  readonly tmpNames: readonly string[];
}

/**
 * Finds an account's files in tmp. The account's lock must be held. Reads the content of delivered ones, at most
 * the few that were being recorded when the last run died.
 *
 * @param recordedStamps stamps that the journal has: their files only wait for removal
 */
export async function findLeftovers(
  maildir: string,
  account: string,
  recordedStamps: ReadonlySet<string>,
): Promise<Leftovers> {
  const delivered: StoredRecord[] = [];
  const tmpNames: string[] = [];
  const pattern = new RegExp(
    `^(?<stamp>[0-9]{1,12}\\.M[0-9]{6})A${accountTag(account)}(?:K(?<key>[0-9a-f]{32}))?\\.`,
  );
  for (const name of await readdir(join(maildir, 'tmp'))) {
    const groups = pattern.exec(name)?.groups;
    if (groups === undefined) continue;
    const path = join(maildir, 'tmp', name);
    const stats = await lstat(path);
    // A link, a FIFO or a directory by such a name is none of ours.
    if (!stats.isFile()) continue;
    tmpNames.push(name);
    const stamp = groups['stamp'] ?? '';
    if (recordedStamps.has(stamp) || stats.nlink < 2) continue;
    const contentHash = await hashContent(path);
    delivered.push({ key: groups['key'] ?? null, contentHash, listedOctets: null, stamp });
  }
  if (delivered.length > 0) await syncDirectory(join(maildir, 'new'));
  return { delivered, tmpNames };
}

async function hashContent(path: string): Promise<string> {
  const hash = createHash('sha256');
  let isAtStart = true;
  const file = tryOpenOwnFile(path, constants.O_RDONLY);
  if (file === null) throw new TemporaryError(`${path} has gone`);
  const { fd } = file;
  for await (const chunk of createReadStream(path, { fd }) as AsyncIterable<Buffer>) {
    // The trace header is far shorter than the first chunk.
    hash.update(isAtStart ? chunk.subarray(traceHeaderLength(chunk)) : chunk);
    isAtStart = false;
  }
  return hash.digest('hex');
}

export function removeLeftovers(maildir: string, leftovers: Leftovers): void {
  for (const name of leftovers.tmpNames) removeTmp(maildir, name);
}

/** Opens an account's journal with what the last run could not record, and clears tmp. Throws as `Journal.open` and `readJournal`. */
export async function recoverJournal(maildir: string, account: string): Promise<Journal> {
  const content = await readJournal(maildir, account);
  const stamps = new Set(content.stored.map(({ stamp }) => stamp));
  const leftovers = await findLeftovers(maildir, account, stamps);
  const journal = await Journal.open(maildir, account, content, leftovers.delivered);
  removeLeftovers(maildir, leftovers);
  return journal;
}
