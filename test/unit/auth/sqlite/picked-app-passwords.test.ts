// Application passwords among those that are picked: what announces SCRAM, and what made-up accounts look like.

import { join } from 'node:path';
import t, { type Test } from 'tap';
import { openAccounts } from '../../../../src/auth/open-accounts.js';
import { AccountEditor } from '../../../../src/auth/sqlite/account-editor.js';
import { AccountTable } from '../../../../src/auth/sqlite/account-table.js';
import { AppPasswordEditor } from '../../../../src/auth/sqlite/app-password-editor.js';
import { hashPassword } from '../../../../src/auth/stored/make-password.js';

const ann = { user: 'ann', domain: 'example.org' };
const hashed = await hashPassword('SSHA256', Buffer.from('secret'));
const scram = await hashPassword('SCRAM-SHA-256', Buffer.from('device'));

/** @param apps passwords as stored, and for how many seconds from now on they count; null: for ever */
function makeFile(
  t: Test,
  own: string,
  apps: readonly (readonly [stored: string, seconds: number | null])[],
): string {
  const file = join(t.testdir({}), 'passdb.sqlite');
  const users = new AccountEditor({ file, isCreated: true });
  users.add(ann, own);
  users.close();
  const editor = new AppPasswordEditor({ file });
  for (const [index, [password, seconds]] of apps.entries()) {
    const expiresAt = seconds === null ? null : new Date(Date.now() + seconds * 1000);
    const limits = { networks: null, isReadOnly: false, days: null, expiresAt };
    editor.add(ann, { label: `device ${index}`, password, ...limits });
  }
  editor.close();
  return file;
}

function open(t: Test, file: string): ReturnType<typeof openAccounts> {
  const accounts = openAccounts({ file });
  t.teardown(() => accounts.close());
  return accounts;
}

t.test('SCRAM is offered where an application password that counts can use it', async (t) => {
  for (const [own, apps, isOffered] of [
    [hashed, [[scram, null]], true],
    [hashed, [[scram, 3600]], true],
    [hashed, [['{PLAIN}device', null]], true],
    [hashed, [], false],
    [hashed, [[hashed, null]], false],
    [hashed, [[scram, -60]], false],
    [scram, [[hashed, null]], true],
  ] as const) {
    const accounts = open(t, makeFile(t, own, apps));
    t.equal(await accounts.offersScram(), isOffered, JSON.stringify([own, apps]));
  }
});

t.test('an application password is what SCRAM then verifies', async (t) => {
  const accounts = open(t, makeFile(t, hashed, [[scram, null]]));
  const lookup = await accounts.lookUpScram(Buffer.from('ann@example.org'));
  t.match(lookup, { found: 'credentials', passwords: [{ grant: { label: 'device 0' } }] });
});

t.test('made-up accounts look like users, and like devices where no user has SCRAM', async (t) => {
  const other = scram.replace('10000', '5000');
  for (const [own, apps, iterations] of [
    [scram, [[other, null]], 10_000],
    [other, [[scram, null]], 5000],
    [hashed, [[other, null]], 5000],
    [hashed, [[other, -60]], 10_000],
  ] as const) {
    const accounts = open(t, makeFile(t, own, apps));
    for (const name of ['nobody@example.org', 'somebody@example.org', 'impossible']) {
      const lookup = await accounts.lookUpScram(Buffer.from(name));
      t.match(lookup, { found: 'decoy', credentials: { iterations } }, `${own} ${name}`);
    }
  }
});

t.test(
  'users’ own passwords stand in for names that nobody has, where there are any',
  async (t) => {
    const table = new AccountTable({ file: makeFile(t, hashed, [[scram, null]]) });
    t.teardown(() => table.close());
    for (let position = 0n; position < 1n << 62n; position += 1n << 57n) {
      t.equal(await table.pick(position, () => true), hashed);
    }
  },
);
