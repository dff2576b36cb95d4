// mutt and neomutt with their defaults over TLS: they choose the strongest mechanism that is announced, and try no other.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { makeCertificate } from '../support/accounts/certificate.js';
import { makePasswordDatabase } from '../support/accounts/password-database-fixture.js';
import { makeInbox } from '../support/mail/maildir-fixture.js';
import { expectProgram, unlessInstalled } from '../support/peers/debian.js';
import { startCommand } from '../support/programs/run-program.js';
import { startTlsMailServer } from '../support/programs/tls-mail-server.js';
import { testFolder } from '../support/suite/test-folder.js';

for (const program of ['mutt', 'neomutt']) {
  for (const [way, scheme] of [
    ['stls', 'pop'],
    ['implicit', 'pops'],
  ] as const) {
    t.test(
      `${program} logs in and reads a message over ${way === 'stls' ? 'STLS' : 'pop3s'}`,
      { skip: unlessInstalled(program, 'script', 'openssl') },
      async (t) => {
        const folder = testFolder(t, { home: {} });
        const mailRoot = join(folder, 'mail');
        makeInbox(mailRoot, 'ann@example.org').add('From: a@b\nSubject: hello\n\nworld\n');
        makePasswordDatabase(join(mailRoot, 'passdb.sqlite'), { 'ann@example.org': 'open sesame' });
        const files = makeCertificate(folder);
        const env = { CHANNEL_BINDING: '' };
        const served = await startTlsMailServer(t, way, { mailRoot, ...files, env });
        // What it would ask: whom to trust, and the password.
        const settings = [
          `set certificate_file=${files.cert}`,
          'set pop_pass="open sesame"',
          `set folder=${join(folder, 'home')}`,
        ];
        writeFileSync(join(folder, 'rc'), `${settings.join('\n')}\n`);
        const url = `${scheme}://ann%40example.org@localhost:${served.port}/`;
        const command = `${expectProgram(program)} -n -F rc -f ${url} -e 'push <display-message><exit><exit>'`;
        // It needs a terminal, and input that does not end.
        const running = startCommand(t, 'script', ['-qec', command, '/dev/null'], {
          cwd: folder,
          env: { HOME: join(folder, 'home'), TERM: 'xterm', LC_ALL: 'C' },
        });
        running.stdout.resume();
        const [login] = await served.program.logLine(/pop3d: login .*/);
        t.match(login, /mechanism=SCRAM-SHA-256 tls=TLSv1\.3 messages=1/);
        await served.program.logLine(/pop3d: logout .*reason=quit .*retr=1\/36 /);
      },
    );
  }
}
