// Whether a name exists must not show in the time that an answer takes: APOP answered sooner for names that nobody has.

import { join } from 'node:path';
import { SqliteFile } from '../../../support/accounts/sqlite-file.js';
import t, { type Test } from 'tap';
import type { AccountRow } from '../../../../src/auth/accounts/account-source.js';
import type { LoginClient } from '../../../../src/auth/accounts/login-client.js';
import type { LoginName } from '../../../../src/auth/accounts/login-name.js';
import { AccountTable } from '../../../../src/auth/sqlite/account-table.js';
import { AccountVerifier } from '../../../../src/auth/verifying/account-verifier.js';
import { makePasswordDatabase } from '../../../support/accounts/password-database-fixture.js';

/** A real table that notes what is asked of it. */
class NotingTable extends AccountTable {
  readonly asked: string[] = [];

  override find(name: LoginName, client: LoginClient): Promise<readonly AccountRow[]> {
    this.asked.push('find');
    return super.find(name, client);
  }

  override pick(position: bigint, accepts: (stored: string) => boolean): Promise<string | null> {
    this.asked.push('pick');
    return super.pick(position, accepts);
  }

  override decoySecret(): Promise<Buffer | null> {
    this.asked.push('secret');
    return super.decoySecret();
  }
}

const names = [
  'plain@example.org',
  'hashed@example.org',
  'disabled@example.org',
  'nobody@example.org',
  'impossible',
];

function openNoting(t: Test): { table: NotingTable; verifier: AccountVerifier } {
  const file = join(t.testdir({}), 'passdb.sqlite');
  makePasswordDatabase(file, {
    'plain@example.org': 'secret',
    'hashed@example.org': `{SSHA256}${Buffer.alloc(40, 1).toString('base64')}`,
    'disabled@example.org': 'secret',
  });
  const database = new SqliteFile(file);
  database.exec("UPDATE users SET active = 'N' WHERE username = 'disabled'");
  database.close();
  const table = new NotingTable({ file });
  const verifier = new AccountVerifier(table, {});
  t.teardown(() => verifier.close());
  return { table, verifier };
}

const answers: Readonly<Record<string, (verifier: AccountVerifier, name: Buffer) => unknown>> = {
  APOP: (verifier, name) => verifier.lookUpPlain(name),
  SCRAM: (verifier, name) => verifier.lookUpScram(name),
  'a wrong password': (verifier, name) => verifier.verifyPassword(name, Buffer.from('wrong')),
};

for (const [how, answer] of Object.entries(answers)) {
  t.test(`${how} asks the database the same for every name`, async (t) => {
    const { table, verifier } = openNoting(t);
    for (const name of names) {
      table.asked.length = 0;
      await answer(verifier, Buffer.from(name));
      t.strictSame([...table.asked].sort(), ['find', 'pick', 'secret'], name);
    }
  });
}
