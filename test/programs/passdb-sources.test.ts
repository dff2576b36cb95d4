// passdb check with every account source that pop3d has; the other commands edit databases only.

import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { SqliteFile } from '../support/accounts/sqlite-file.js';
import { runProgram } from '../support/programs/run-program.js';
import { testFolder } from '../support/suite/test-folder.js';

const address = 'ann@example.org';

t.test('check asks a database of another shape, and programs', async (t) => {
  const folder = testFolder(t);
  const file = join(folder, 'mailbox.sqlite');
  const database = new SqliteFile(file);
  database.exec(`CREATE TABLE mailbox (username, password);
    INSERT INTO mailbox VALUES ('${address}', '{PLAIN}secret')`);
  database.close();
  const program = join(folder, 'check');
  writeFileSync(
    program,
    `#!/bin/sh\ntr '\\000' ' ' <&3 | grep -q '^${address} secret ' && exec "$@"\nexit 1\n`,
  );
  chmodSync(program, 0o755);
  const query = 'SELECT password FROM mailbox WHERE username = :address';
  for (const source of [
    ['--passdb', file, '--passdb-query', query],
    ['--passdb', `sqlite:${file}`, '--passdb-query', query],
    ['--passdb', `checkpassword:${program}`],
  ]) {
    const check = (input: string): Promise<unknown> =>
      runProgram(t, 'passdb', [...source, 'check', address], { input });
    t.match(await check('secret\n'), { status: 0, stderr: '' }, source.join(' '));
    t.match(await check('wrong\n'), { status: 1, stderr: /ann@example\.org: / });
  }
});

t.test('a source that cannot be asked says whether trying again helps', async (t) => {
  const folder = testFolder(t);
  const check = (source: string): Promise<unknown> =>
    runProgram(t, 'passdb', ['--passdb', source, 'check', address], { input: 'x\n' });
  t.match(await check(`dovecot:${folder}/none`), { status: 111 });
  t.match(await check('postgresql://[bad'), { status: 100 });
});

t.test('only databases can be edited', async (t) => {
  for (const command of ['list', 'add', 'export', 'import']) {
    const args = [
      '--passdb',
      'dovecot:/run/dovecot',
      command,
      ...(command === 'export' ? [] : [address]),
    ];
    t.match(await runProgram(t, 'passdb', args, { input: 'x\n' }), {
      status: 100,
      stderr: new RegExp(`${command} needs a database: only check asks dovecot: sources`),
    });
  }
});
