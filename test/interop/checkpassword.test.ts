// The program that account-sources(5) shows, as the source of accounts.

import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { seeClientsLogIn, unlessClients } from '../support/accounts/client-logins.js';
import { testFolder } from '../support/suite/test-folder.js';

t.test(
  'curl and fetchmail log in by the checkpassword program of the manual',
  { skip: unlessClients() },
  async (t) => {
    const folder = testFolder(t, { accounts: 'ann@example.org:secret\n' });
    const program = join(folder, 'check');
    const page = fileURLToPath(new URL('../../../doc/account-sources.5', import.meta.url));
    const [, script = ''] = /^(#!\/bin\/sh\n[^]*?)\.Ed$/m.exec(readFileSync(page, 'utf8')) ?? [];
    const text = script.replaceAll('\\e', '\\').replace('/etc/pop3/accounts', `${folder}/accounts`);
    writeFileSync(program, text);
    chmodSync(program, 0o755);
    const { program: tcpsrun } = await seeClientsLogIn(t, {
      env: { PASSDB: `checkpassword:${program}` },
      user: 'ann@example.org',
      password: 'secret',
      mechanisms: 'clear',
    });
    t.match(tcpsrun.stderr, /failure .*reason="checkpassword refuses"/);
  },
);
