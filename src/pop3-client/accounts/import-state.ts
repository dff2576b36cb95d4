// Makes another client's state that of an account here: nothing that it fetched is fetched again.

import { StampSource } from '../../maildir/unique-name.js';
import { tryReadRegularFile } from '../../system/files/open-regular-file.js';
import { ConfigurationError } from '../../system/failures/failures.js';
import { lockAccount } from '../journal/account-lock.js';
import { Journal } from '../journal/journal.js';
import { readJournal } from '../journal/journal-file.js';
import type { StoredRecord } from '../journal/journal-format.js';
import { uniqueIdKey } from '../journal/message-key.js';
import { readForeignState, type ForeignAccount, type ForeignState } from './foreign-state.js';
import { systemWords } from '../../system/failures/system-words.js';

const maxOctets = 64 * 1024 * 1024;
/** Nobody here has seen the content. */
const noHash = '0'.repeat(64);

export interface Imported {
  readonly client: ForeignState['client'];
  /** Unique-ids that were not known before. */
  readonly added: number;
  readonly known: number;
}

/**
 * @param directory where the account's journal is
 * @throws ConfigurationError, TemporaryError
 */
export async function importState(
  path: string,
  { directory, account }: { readonly directory: string; readonly account: string },
  foreign: ForeignAccount,
): Promise<Imported> {
  const { client, uniqueIds } = readForeignState(path, readFile(path), foreign);
  const lock = await lockAccount(directory, account);
  try {
    const content = await readJournal(directory, account);
    const keys = new Set([...content.records.values()].map(({ key }) => key));
    const stamps = new StampSource();
    const added: StoredRecord[] = [];
    for (const uniqueId of new Set(uniqueIds)) {
      const key = uniqueIdKey(account, uniqueId);
      if (keys.has(key)) continue;
      added.push({
        ...{ state: 'imported', key, contentHash: noHash, topHash: null, listedOctets: null },
        stamp: stamps.next(),
      });
    }
    const journal = await Journal.open(directory, account, content, added);
    await journal.close();
    return { client, added: added.length, known: uniqueIds.length - added.length };
  } finally {
    lock.release();
  }
}

function readFile(path: string): string {
  let bytes;
  try {
    bytes = tryReadRegularFile(path, { maxBytes: maxOctets, followsLinks: true });
  } catch (error) {
    throw new ConfigurationError(`${path}: ${systemWords(error)}`);
  }
  if (bytes === null) throw new ConfigurationError(`${path}: there is no such file`);
  return bytes.toString('latin1');
}
