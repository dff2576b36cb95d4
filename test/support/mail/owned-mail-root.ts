// A mail root outside the checkout whose maildrop belongs to an ordinary user, so that permissions mean something to
// pop3d even when the tests run as root: it becomes that user.

import { chmodSync, chownSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { makeInbox, type MaildirFixture } from './maildir-fixture.js';
import { makePasswordDatabase } from '../accounts/password-database-fixture.js';

/** Nobody, as Debian and most others number it. */
export const nobody = 65_534;

export interface OwnedMailRoot {
  readonly cwd: string;
  readonly inbox: MaildirFixture;
  /** Gives all of the user's directory to the ordinary user, when there is another one than us. Call it after adding mail. */
  giveAway(): void;
}

/** `ann@example.org` with the password `open sesame`; removed in the test's teardown. */
export function makeOwnedMailRoot(t: Test): OwnedMailRoot {
  const cwd = mkdtempSync(join(tmpdir(), 'pop3d-test-'));
  chmodSync(cwd, 0o755);
  makePasswordDatabase(join(cwd, 'passdb.sqlite'), { 'ann@example.org': 'open sesame' });
  const inbox = makeInbox(cwd, 'ann@example.org');
  const home = join(cwd, 'example.org', 'ann');
  t.teardown(() => {
    for (const folder of ['new', 'cur', 'tmp']) {
      try {
        chmodSync(join(inbox.path, folder), 0o755);
      } catch {
        // The test took it away.
      }
    }
    rmSync(cwd, { recursive: true, force: true });
  });
  return {
    cwd,
    inbox,
    giveAway: () => {
      if (process.geteuid?.() !== 0) return;
      chownSync(home, nobody, nobody);
      for (const entry of readdirSync(home, { recursive: true, encoding: 'utf8' })) {
        chownSync(join(home, entry), nobody, nobody);
      }
    },
  };
}
