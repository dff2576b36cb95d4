// Sessions a second, and how long one takes: kept workers beside a tuned Dovecot over the same mail, in alternating rounds.
// Needs root, gcc and Dovecot 2.3. Usage: node build/bench/sessions.js [rounds] [sessions] [scheme]

import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startDovecot } from '../test/support/dovecot.js';
import { startMailServer } from '../test/support/mail-server.js';
import { makeInbox } from '../test/support/maildir-fixture.js';
import { makePasswordDatabase } from '../test/support/password-database-fixture.js';
import { hashPassword } from '../src/auth/password-hash.js';
import { userCount, writeTable } from './session-figures.js';

const [rounds = 5, sessions = 5000] = process.argv.slice(2, 4).map(Number);
const scheme = process.argv[4] === 'SHA512-CRYPT' ? 'SHA512-CRYPT' : 'PLAIN';

/** Debian's nobody: Dovecot becomes nobody else's reader, and our workers never root. */
const owner = { uid: 65534, gid: 65534 };

const tuned = `service pop3-login {
  service_count = 0
  process_min_avail = 2
  client_limit = 4000
}
service pop3 {
  service_count = 0
  client_limit = 1
  process_min_avail = 8
  process_limit = 1024
}
auth_cache_size = 10M
`;

const mailRoot = mkdtempSync(join(tmpdir(), 'bench-sessions-'));
const teardowns: (() => Promise<void>)[] = [];
const bench = { teardown: (handler: () => Promise<void>) => teardowns.unshift(handler) };

function giveAway(path: string): void {
  chownSync(path, owner.uid, owner.gid);
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) giveAway(join(path, entry.name));
    else chownSync(join(path, entry.name), owner.uid, owner.gid);
  }
}

try {
  const stored = await hashPassword(scheme, Buffer.from('secret'));
  const addresses = Array.from({ length: userCount }, (_, number) => `u${number}@example.org`);
  for (const address of addresses) {
    const inbox = makeInbox(mailRoot, address);
    for (let count = 0; count < 10; count += 1) {
      inbox.add(`Subject: ${count}\n\n${'a line of text\n'.repeat(250)}`);
    }
  }
  const passdb = join(mailRoot, 'passdb.sqlite');
  makePasswordDatabase(passdb, Object.fromEntries(addresses.map((name) => [name, stored])));
  giveAway(mailRoot);
  chmodSync(mailRoot, 0o755);
  const load = join(mailRoot, 'popload');
  const source = fileURLToPath(new URL('../../bench/popload.c', import.meta.url));
  execFileSync('gcc', ['-O2', '-o', load, source]);
  const args = ['--user', 'nobody', '--workers', '2'];
  const ours = await startMailServer(bench, mailRoot, { args });
  const dovecot = await startDovecot(bench, { mailRoot, passdb, mailUser: owner, settings: tuned });
  const ports = { Dovecot: dovecot.pop3Port, ours: ours.port };
  writeTable(scheme, rounds, (server) => {
    const figures = execFileSync(
      load,
      [
        String(ports[server]),
        'u%d@example.org',
        'secret',
        '16',
        String(sessions),
        'STAT,LIST,UIDL',
      ],
      { encoding: 'latin1' },
    );
    return figures;
  });
} finally {
  for (const teardown of teardowns) await teardown();
  rmSync(mailRoot, { recursive: true });
}
