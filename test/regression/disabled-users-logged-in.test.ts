// Disabled users logged in: the rows that a worker remembered were watched beside a link, SQLite's log lay beside its target.

import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { SqliteFile } from '../support/accounts/sqlite-file.js';
import t from 'tap';
import { makePasswordDatabase } from '../support/accounts/password-database-fixture.js';
import { anna, openVerifier } from '../support/accounts/password-verifier.js';
import { unlessMountable } from '../support/mail/small-file-system.js';
import { testFolder } from '../support/suite/test-folder.js';

const address = 'anna@example.org';
/** So old, a file counts as left alone, and its rows are remembered. */
const settledMs = 2700;

/** Each makes another way to `real/db`, and returns its path. */
const layouts: Readonly<Record<string, (folder: string) => string>> = {
  'a link to a link': (folder) => {
    symlinkSync('real/db', join(folder, 'one'));
    symlinkSync(join(folder, 'one'), join(folder, 'two'));
    return join(folder, 'two');
  },
  'a link to the directory': (folder) => {
    symlinkSync('real', join(folder, 'linked'));
    return join(folder, 'linked', 'db');
  },
  'a directory mounted elsewhere': (folder) => {
    mkdirSync(join(folder, 'mounted'));
    execFileSync('mount', ['--bind', join(folder, 'real'), join(folder, 'mounted')]);
    return join(folder, 'mounted', 'db');
  },
};

for (const [layout, makeLayout] of Object.entries(layouts)) {
  const skip = layout.includes('mounted') ? unlessMountable() : false;
  t.test(`who is disabled behind ${layout} is disabled at once`, { skip }, async (t) => {
    const folder = testFolder(t, {});
    mkdirSync(join(folder, 'real'));
    const target = join(folder, 'real', 'db');
    makePasswordDatabase(target, { [address]: 'secret' });
    const file = makeLayout(folder);
    if (layout.includes('mounted')) {
      t.teardown(() => execFileSync('umount', ['-l', join(folder, 'mounted')]));
    }
    const writer = new SqliteFile(target);
    const verify = openVerifier(t, { file, rememberedRows: 10, rememberedPasswords: 10 });
    for (const journal of ['DELETE', 'WAL']) {
      writer.pragma(`journal_mode = ${journal}`);
      writer.exec("UPDATE users SET active = 'Y'");
      await delay(settledMs);
      t.same(await verify(address, 'secret'), anna, journal);
      t.same(await verify(address, 'secret'), anna, journal);
      writer.exec("UPDATE users SET active = 'N'");
      t.match(await verify(address, 'secret'), { reason: 'disabled user' }, journal);
      writer.pragma('wal_checkpoint(TRUNCATE)');
      t.match(await verify(address, 'secret'), { reason: 'disabled user' }, journal);
    }
    writer.close();
  });
}
