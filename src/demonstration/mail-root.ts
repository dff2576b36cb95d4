// Makes the mail root that `npm start` serves: one user, three messages, a password database. Never
// touches one that exists.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { demonstrationMessages } from './messages.js';
import { ConfigurationError } from '../system/failures/failures.js';
import { fileFailure } from '../system/failures/file-failure.js';
import { systemWords } from '../system/failures/system-words.js';

export const demonstrationAddress = 'demo@example.org';
export const demonstrationPassword = 'demo';

/**
 * Makes the mail root if there is nothing at `path`. It appears whole or, when this is interrupted,
 * not at all.
 *
 * @param passdb path of the built program `passdb`
 * @returns whether it was made now
 * @throws ConfigurationError or TemporaryError when it cannot be made
 */
export function makeDemonstrationMailRoot(path: string, passdb: string): boolean {
  if (existsSync(path)) return false;
  try {
    makeWhole(path, passdb);
  } catch (error) {
    throw fileFailure(error, `cannot make ${path}: ${systemWords(error)}`);
  }
  return true;
}

function makeWhole(path: string, passdb: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  const draft = mkdtempSync(join(dirname(path), `.${basename(path)}-`));
  try {
    addUser(join(draft, 'passdb.sqlite'), passdb);
    deliverMessages(draft);
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    throw error;
  }
}

function addUser(database: string, passdb: string): void {
  const { status, stderr, error } = spawnSync(
    process.execPath,
    [passdb, '--passdb', database, 'add', demonstrationAddress],
    { input: `${demonstrationPassword}\n`, encoding: 'utf8' },
  );
  if (status !== 0) {
    throw new ConfigurationError(`cannot make ${database}: ${error?.message ?? stderr.trim()}`);
  }
}

function deliverMessages(mailRoot: string): void {
  const [user = '', domain = ''] = demonstrationAddress.split('@');
  const inbox = join(mailRoot, domain, user, 'INBOX');
  // With a umask of 0 anybody could replace them, and pop3d refuses such a maildrop to root.
  for (const folder of ['new', 'cur', 'tmp']) {
    mkdirSync(join(inbox, folder), { recursive: true, mode: 0o700 });
  }
  for (const [index, message] of demonstrationMessages.entries()) {
    // The Date field of each, as the seconds that start a Maildir name.
    const seconds = Date.parse(/^Date: (.*)$/m.exec(message)?.[1] ?? '') / 1000;
    writeFileSync(join(inbox, 'new', `${seconds}.M${index + 1}P1.mx.example.org`), message);
  }
}
