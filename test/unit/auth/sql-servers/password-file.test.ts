import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { findPassword } from '../../../../src/auth/sql-servers/password-file.js';
import { parseServerAddress } from '../../../../src/auth/sql-servers/server-address.js';

t.test('the first line that fits has the password', async (t) => {
  const folder = t.testdir({
    pass: `# comment
db1:5432:mail:pop3d:one
localhost:*:mail:pop3d:two
*:*:*:pop\\:3d:th\\:r\\\\ee
*:*:mail:other:four
`,
  });
  const file = join(folder, 'pass');
  chmodSync(file, 0o600);
  const find = (uri: string): Promise<string> => {
    const address = parseServerAddress(`${uri}passfile=${encodeURIComponent(file)}`);
    return findPassword(address, address.hosts[0] ?? { host: '', port: 0 });
  };
  t.equal(await find('postgresql://pop3d@db1/mail?'), 'one');
  t.equal(await find('postgresql:///mail?host=/run&user=pop3d&'), 'two');
  t.equal(await find('mysql://pop%3A3d@db9/x?'), 'th:r\\ee');
  t.equal(await find('mysql://other:given@db9/mail?'), 'given', 'the URI comes first');
  await t.rejects(find('postgresql://pop3d@db2/mail?'), {
    isLasting: true,
    message: /wants a password for pop3d/,
  });
  chmodSync(file, 0o640);
  await t.rejects(find('postgresql://pop3d@db1/mail?'), { message: /chmod 600/ });
});
