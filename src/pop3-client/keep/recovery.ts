// After a crash, or a session that broke: what is left in tmp and in the journal. A message was
// delivered when the journal or its final name in new or cur says so, and by no other sign: anybody
// can make a second link to a file.

import { constants, createReadStream } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isFinished, removeTmp, syncDirectory } from '../../maildir/deliver.js';
import { TemporaryError } from '../../system/failures/failures.js';
import { DeliveredNames, parseTmpName } from './delivered-name.js';
import { Journal } from '../journal/journal.js';
import { readJournal, type JournalContent } from '../journal/journal-file.js';
import type { StoredRecord } from '../journal/journal-format.js';
import { IdentityHash, type MessageIdentity } from './message-identity.js';
import { tryOpenOwnFile } from '../journal/own-file.js';
import { traceHeaderLength } from './trace-header.js';

/** A message in tmp that came whole and was not delivered. */
export interface HeldMessage {
  readonly tmpName: string;
  /** To be recorded once it is delivered. */
  readonly record: StoredRecord;
}

export interface Leftovers {
  /** Delivered, and not recorded yet. new was synced, so they are durable. */
  readonly delivered: readonly StoredRecord[];
  /** Names to remove from tmp once `delivered` is in the journal. */
  readonly rubbish: readonly string[];
  readonly held: readonly HeldMessage[];
}

/**
 * Finds an account's files in tmp. The account's lock must be held. Reads the content of those that
 * are not recorded.
 *
 * @param deliveredNames the names in new and cur
 */
export async function findLeftovers(
  maildir: string,
  account: string,
  records: JournalContent['records'],
  deliveredNames: readonly string[],
): Promise<Leftovers> {
  const delivered: StoredRecord[] = [];
  const rubbish: string[] = [];
  const held: HeldMessage[] = [];
  const names = new DeliveredNames(deliveredNames);
  for (const record of records.values()) {
    if (record.state !== 'storing' || !names.has(account, record)) continue;
    // It came whole; whether the server was in step is not known any more.
    delivered.push({ ...record, state: 'doubtful' });
  }
  const stamps = new Set(delivered.map(({ stamp }) => stamp));
  for (const tmpName of await readdir(join(maildir, 'tmp'))) {
    const parts = parseTmpName(tmpName, account);
    if (parts === null) continue;
    const path = join(maildir, 'tmp', tmpName);
    // A link, a FIFO or a directory by such a name is none of ours.
    if (!(await lstat(path)).isFile()) continue;
    const state = records.get(parts.stamp)?.state ?? 'storing';
    const isUnsettled = state === 'storing' || state === 'handing';
    const identity = isUnsettled && !stamps.has(parts.stamp) ? await tryIdentify(path) : null;
    if (identity === null) {
      rubbish.push(tmpName);
      continue;
    }
    const { contentHash, topHash } = identity;
    const record: StoredRecord = {
      ...{ state: 'doubtful', contentHash, topHash, listedOctets: null },
      ...parts,
    };
    if (names.has(account, record)) {
      delivered.push(record);
      rubbish.push(tmpName);
    } else held.push({ tmpName, record });
  }
  if (delivered.length > 0) await syncDirectory(join(maildir, 'new'));
  return { delivered, rubbish, held };
}

/** @returns null for a file that was not finished */
async function tryIdentify(path: string): Promise<MessageIdentity | null> {
  const hash = new IdentityHash();
  let isAtStart = true;
  const file = tryOpenOwnFile(path, constants.O_RDONLY);
  if (file === null) throw new TemporaryError(`${path} has gone`);
  const { fd } = file;
  for await (const chunk of createReadStream(path, { fd }) as AsyncIterable<Buffer>) {
    if (isAtStart && !isFinished(chunk)) return null;
    // The trace header is far shorter than the first chunk.
    hash.update(isAtStart ? chunk.subarray(traceHeaderLength(chunk)) : chunk);
    isAtStart = false;
  }
  return isAtStart ? null : hash.digest();
}

/**
 * Opens an account's journal with what the last run could not record, and clears tmp of all but
 * held messages. Throws as `Journal.open` and `readJournal`.
 */
export async function recoverJournal(
  maildir: string,
  account: string,
  deliveredNames: readonly string[],
): Promise<{ readonly journal: Journal; readonly held: readonly HeldMessage[] }> {
  const content = await readJournal(maildir, account);
  const { records } = content;
  const leftovers = await findLeftovers(maildir, account, records, deliveredNames);
  const stored = new Map([...records].filter(([, { state }]) => state !== 'storing'));
  const known = { ...content, records: stored };
  const journal = await Journal.open(maildir, account, known, leftovers.delivered);
  for (const name of leftovers.rubbish) removeTmp(maildir, name);
  return { journal, held: leftovers.held };
}
