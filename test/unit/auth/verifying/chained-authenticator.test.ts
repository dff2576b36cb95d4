// Several SQLite files, asked in order.

import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Authenticator, Verdict } from '../../../../src/auth/accounts/authenticator.js';
import { openSources } from '../../../../src/auth/open-sources.js';
import { hashPassword } from '../../../../src/auth/stored/make-password.js';
import { makePasswordDatabase } from '../../../support/accounts/password-database-fixture.js';

type Accounts = Readonly<Record<string, string>>;

async function chain(t: Test, ...files: readonly (Accounts | null)[]): Promise<Authenticator> {
  const folder = t.testdir();
  const sources = files.map((accounts, index) => {
    const file = join(folder, `${index}.sqlite`);
    if (accounts !== null) makePasswordDatabase(file, accounts);
    return file;
  });
  const opened = await openSources({ sources, allowsWeakSchemes: false });
  t.teardown(() => opened.close());
  return opened;
}

function verify(chained: Authenticator, user: string, password: string): Promise<Verdict> {
  return chained.verifyPassword(Buffer.from(`${user}@example.org`), Buffer.from(password));
}

t.test('the first source that has the name decides', async (t) => {
  const chained = await chain(
    t,
    { 'ann@example.org': 'one' },
    { 'ann@example.org': 'two', 'bob@example.org': 'three' },
  );
  t.match(await verify(chained, 'ann', 'one'), { verdict: 'accepted' });
  t.match(await verify(chained, 'ann', 'two'), { verdict: 'rejected', reason: 'wrong password' });
  t.match(await verify(chained, 'bob', 'three'), { verdict: 'accepted' });
  t.match(await verify(chained, 'bob', 'x'), { verdict: 'rejected', reason: 'wrong password' });
  t.match(await verify(chained, 'cid', 'x'), { verdict: 'rejected', reason: 'unknown user' });
});

t.test('a source that cannot be asked is no unknown user', async (t) => {
  const accounts = { 'ann@example.org': 'one' };
  const before = await chain(t, null, accounts);
  t.match(await verify(before, 'ann', 'one'), { verdict: 'unavailable', isLasting: false });
  const behind = await chain(t, accounts, null);
  t.match(await verify(behind, 'ann', 'one'), { verdict: 'accepted' });
  t.match(await verify(behind, 'ann', 'x'), { verdict: 'rejected' });
  t.match(await verify(behind, 'bob', 'one'), { verdict: 'unavailable' });
});

t.test('SCRAM and APOP find the name wherever it is', async (t) => {
  const scram = await hashPassword('SCRAM-SHA-256', Buffer.from('two'));
  const chained = await chain(t, { 'ann@example.org': 'one' }, { 'bob@example.org': scram });
  t.equal(await chained.offersScram(), true);
  for (const [user, found] of [
    ['ann', 'credentials'],
    ['bob', 'credentials'],
    ['cid', 'decoy'],
  ] as const) {
    t.match(await chained.lookUpScram(Buffer.from(`${user}@example.org`)), { found });
  }
  t.match(await chained.lookUpPlain(Buffer.from('ann@example.org')), { found: 'passwords' });
  t.match(await chained.lookUpPlain(Buffer.from('bob@example.org')), { found: 'nothing' });
});

t.test('SCRAM is not offered where a source could never serve it', async (t) => {
  const folder = t.testdir();
  const file = join(folder, 'passdb.sqlite');
  makePasswordDatabase(file, { 'ann@example.org': 'one' });
  const sources = [file, 'checkpassword:/bin/false'];
  const opened = await openSources({ sources, allowsWeakSchemes: false });
  t.teardown(() => opened.close());
  t.equal(await opened.offersScram(), false);
  t.match(await verify(opened, 'ann', 'one'), { verdict: 'accepted' });
  t.match(await verify(opened, 'bob', 'one'), { verdict: 'rejected' });
});
