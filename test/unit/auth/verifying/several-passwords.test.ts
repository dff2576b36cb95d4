// Several rows of one account: any of them may be right, and what it allows holds.

import { join } from 'node:path';
import { SqliteFile } from '../../../support/accounts/sqlite-file.js';
import t, { type Test } from 'tap';
import { loginClient } from '../../../../src/auth/accounts/login-client.js';
import type { Authenticator, Verdict } from '../../../../src/auth/accounts/authenticator.js';
import { openAccounts } from '../../../../src/auth/open-accounts.js';
import { hashPassword } from '../../../../src/auth/stored/make-password.js';

const name = Buffer.from('ann@example.org');

interface Row {
  readonly password: string;
  readonly label?: string;
  readonly networks?: string;
  readonly read_only?: number;
  readonly days?: number;
}

function open(t: Test, rows: readonly Row[], query = 'SELECT * FROM rows'): Authenticator {
  const file = join(t.testdir(), 'rows.sqlite');
  const database = new SqliteFile(file);
  database.exec('CREATE TABLE rows (password, label, networks, read_only, days)');
  const insert = database.prepare(
    'INSERT INTO rows VALUES (:password, :label, :networks, :read_only, :days)',
  );
  for (const row of rows) {
    insert.runNamed({ label: null, networks: null, read_only: null, days: null, ...row });
  }
  database.close();
  const accounts = openAccounts({ file, query, rememberedPasswords: 10 });
  t.teardown(() => accounts.close());
  return accounts;
}

function verify(accounts: Authenticator, password: string, address?: string): Promise<Verdict> {
  return accounts.verifyPassword(name, Buffer.from(password), loginClient(address));
}

t.test('the columns of the row that matched hold', async (t) => {
  const accounts = open(t, [
    { password: '{PLAIN}main' },
    { password: await hashPassword('SSHA256', Buffer.from('first')), label: 'phone', days: 30 },
    {
      password: await hashPassword('BLF-CRYPT', Buffer.from('second')),
      label: 'fax',
      read_only: 1,
    },
    { password: await hashPassword('SCRAM-SHA-256', Buffer.from('third')), label: 'pad' },
  ]);
  for (const [password, grant] of [
    ['main', { label: null, days: null, isReadOnly: false }],
    ['first', { label: 'phone', days: 30, isReadOnly: false }],
    ['second', { label: 'fax', days: null, isReadOnly: true }],
    ['second', { label: 'fax' }],
    ['third', { label: 'pad' }],
  ] as const) {
    t.match(await verify(accounts, password), { verdict: 'accepted', grant }, password);
  }
  for (const password of ['', 'fourth', 'main ']) {
    t.same(await verify(accounts, password), { verdict: 'rejected', reason: 'wrong password' });
  }
});

t.test('a password for other networks is refused, and the log learns which', async (t) => {
  const accounts = open(t, [
    { password: '{PLAIN}main', networks: '192.0.2.0/24' },
    { password: '{PLAIN}phone', label: 'phone', networks: '2001:db8::/32' },
    { password: '{PLAIN}odd', label: 'odd', networks: 'the office' },
  ]);
  t.match(await verify(accounts, 'main', '192.0.2.7'), { verdict: 'accepted' });
  t.match(await verify(accounts, 'phone', '2001:db8::7%eth0'), { grant: { label: 'phone' } });
  t.same(await verify(accounts, 'main', '198.51.100.1'), {
    verdict: 'rejected',
    reason: 'the password is for other networks than 198.51.100.1',
  });
  t.match(await verify(accounts, 'phone'), {
    verdict: 'rejected',
    reason: /^the password "phone" is for other networks than that of a client without address$/,
  });
  t.match(await verify(accounts, 'odd', '192.0.2.7'), {
    verdict: 'rejected',
    reason: /^the password "odd" is for networks that cannot be understood: "the" is no network/,
  });
  t.match(await accounts.lookUpPlain(name, loginClient('192.0.2.7')), {
    found: 'passwords',
    passwords: [{ refusal: null }, { refusal: /other networks/ }, { refusal: /"the" is no/ }],
  });
});

t.test('two rows with one label, or without any, are a fault for every password', async (t) => {
  for (const [label, reason] of [
    ['phone', /more than one row with the label "phone"/],
    [undefined, /more than one row without a label/],
  ] as const) {
    const row = label === undefined ? {} : { label };
    const accounts = open(t, [
      { password: '{PLAIN}one', ...row },
      { password: '{PLAIN}two', ...row },
    ]);
    for (const password of ['one', 'two', 'three']) {
      t.match(await verify(accounts, password), {
        verdict: 'unavailable',
        isLasting: true,
        reason,
      });
    }
    t.match(await accounts.lookUpPlain(name), { found: 'unavailable', reason });
    t.match(await accounts.lookUpScram(name), { found: 'unavailable', reason });
  }
});

t.test('more rows than may cost hashes are a fault', async (t) => {
  const rows = (count: number): Row[] =>
    Array.from({ length: count }, (_, index) => ({
      password: `{PLAIN}${index}`,
      label: `${index}`,
    }));
  t.match(await verify(open(t, rows(16)), '15'), { verdict: 'accepted', grant: { label: '15' } });
  t.match(await verify(open(t, rows(17)), '15'), { reason: /more than 16 rows/ });
});

t.test('a row that cannot be verified does not keep the others from being right', async (t) => {
  const accounts = open(t, [
    { password: '{MD5}nothing' },
    { password: '!$6$locked', label: 'locked' },
    { password: '{PLAIN}right', label: 'phone' },
  ]);
  t.match(await verify(accounts, 'right'), { verdict: 'accepted', grant: { label: 'phone' } });
});

t.test('beside a row that cannot be verified, wrong passwords were no failed logins', async (t) => {
  const yescrypt = '$y$j9T$saltsaltsaltsalt$' + 'a'.repeat(43);
  const path = process.env['PATH'];
  t.teardown(() => (process.env['PATH'] = path));
  for (const [bad, why] of [
    ['{MD5}nothing', 'password scheme MD5 is not supported'],
    [yescrypt, 'stored yescrypt password cannot be verified: perl is not installed'],
  ] as const) {
    const accounts = open(t, [
      { password: bad, label: 'old' },
      { password: await hashPassword('BLF-CRYPT', Buffer.from('main')) },
      { password: '{PLAIN}right', label: 'phone' },
    ]);
    process.env['PATH'] = '/nonexistent';
    const reason = `wrong password, but one that cannot be verified: "old": ${why}`;
    t.strictSame(await verify(accounts, 'wrong'), { verdict: 'rejected', reason });
    for (const right of ['main', 'right']) {
      t.match(await verify(accounts, right), { verdict: 'accepted' }, right);
    }
    const alone = open(t, [{ password: bad, label: 'old' }]);
    t.strictSame(await verify(alone, 'wrong'), {
      ...{ verdict: 'unavailable', isLasting: true, isCounted: true },
      reason: `"old": ${why}`,
    });
    process.env['PATH'] = path;
  }
  const accounts = open(t, [{ password: '{MD5}nothing' }, { password: '{PLAIN}x', label: 'x' }]);
  const mismatch =
    'wrong password, but one that cannot be verified: password scheme MD5 is not supported';
  t.match(await accounts.lookUpPlain(name), { found: 'passwords', mismatch });
  t.match(await accounts.lookUpScram(name), { found: 'credentials', mismatch });
});

t.test(
  'a row with an odd limit told that there is such an account, and nobody counted',
  async (t) => {
    const accounts = open(t, [{ password: '{PLAIN}right', days: 0 }]);
    const fault = { isLasting: true, isCounted: true, reason: /the column days is no number/ };
    t.match(await verify(accounts, 'right'), { verdict: 'unavailable', ...fault });
    t.match(await accounts.lookUpScram(name), { found: 'unavailable', ...fault });
  },
);

t.test('a locked password is a wrong one, and no fault', async (t) => {
  for (const password of ['*', '!', '!!', '!$6$salt$hash', '{CRYPT}*']) {
    const accounts = open(t, [{ password }]);
    t.match(await verify(accounts, password), { verdict: 'rejected', reason: 'unknown user' });
  }
});

t.test('a query learns who asks, and how', async (t) => {
  const query = `SELECT '{PLAIN}' || coalesce(:peer, 'none') || ' ' || :tls || ' ' || :service || ' ' ||
    coalesce(:level, 'none') AS password WHERE :user = 'ann' AND :domain = 'example.org'`;
  const accounts = open(t, [], query);
  t.match(await verify(accounts, 'none 0 pop3 none'), { verdict: 'accepted' });
  const client = loginClient('192.0.2.1', { isTls: true, service: 'pop3s', level: 2 });
  t.match(await accounts.verifyPassword(name, Buffer.from('192.0.2.1 1 pop3s 2'), client), {
    verdict: 'accepted',
  });
});

t.test('a query that can limit days is known to', async (t) => {
  t.equal(await open(t, []).leastDays(), 1);
  t.equal(await open(t, [], 'SELECT password FROM rows').leastDays(), null);
});
