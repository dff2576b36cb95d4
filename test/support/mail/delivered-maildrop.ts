// A mail root whose messages Debian's maildrop(1) delivered, as an MTA would have it do.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expectProgram } from '../peers/debian.js';
import { makeInbox, type MaildirFixture } from './maildir-fixture.js';
import { makePasswordDatabase } from '../accounts/password-database-fixture.js';
import { runCommand, type Teardown } from '../programs/run-program.js';

/**
 * Makes a mail root with `ann@example.org`, whose password is `open sesame`, and delivers messages to her INBOX.
 *
 * @param folder an empty folder, which becomes the mail root
 */
export async function makeDeliveredMaildrop(
  t: Teardown,
  folder: string,
  messages: readonly Buffer[],
): Promise<MaildirFixture> {
  mkdirSync(folder, { recursive: true });
  makePasswordDatabase(join(folder, 'passdb.sqlite'), { 'ann@example.org': 'open sesame' });
  const inbox = makeInbox(folder, 'ann@example.org');
  const filter = join(folder, 'mailfilter');
  // maildrop(1) refuses filters that others can read.
  writeFileSync(filter, `to "${inbox.path}"\n`, { mode: 0o600 });
  for (const message of messages) {
    const { status, stderr } = await runCommand(t, expectProgram('maildrop'), [filter], {
      input: message,
    });
    if (status !== 0) throw new Error(`maildrop: exit ${String(status)}: ${stderr}`);
  }
  return inbox;
}
