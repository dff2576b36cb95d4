import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { lockAccount } from '../../../../src/pop3-client/journal/account-lock.js';
import { TemporaryError } from '../../../../src/system/failures/failures.js';

t.test('an account is locked once, until it is released; others are free', async (t) => {
  const maildir = t.testdir({});
  const lock = await lockAccount(maildir, 'ann@example.org');
  await t.rejects(lockAccount(maildir, 'ann@example.org'), {
    constructor: TemporaryError,
    message: /another pop3get/,
  });
  (await lockAccount(maildir, 'bob@example.org')).release();
  lock.release();
  (await lockAccount(maildir, 'ann@example.org')).release();
  t.same(
    readdirSync(maildir).map((name) => statSync(join(maildir, name)).size),
    [0, 0],
    'only empty lock files stay',
  );
});
