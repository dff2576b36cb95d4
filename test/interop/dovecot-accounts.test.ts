// Accounts in Dovecot's auth service, over a passwd-file, LDAP and PAM.

import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Verdict } from '../../src/auth/accounts/authenticator.js';
import { loginClient } from '../../src/auth/accounts/login-client.js';
import { openSources } from '../../src/auth/open-sources.js';
import { seeClientsLogIn, unlessClients } from '../support/accounts/client-logins.js';
import { unlessInstalled, unlessMountNamespaces, unlessRoot } from '../support/peers/debian.js';
import { startDovecotAuth } from '../support/peers/dovecot-auth.js';
import { startSlapd, unlessSlapd } from '../support/peers/slapd.js';
import { runProgram } from '../support/programs/run-program.js';
import { testFolder } from '../support/suite/test-folder.js';

const unlessDovecot = (): string | false => unlessInstalled('dovecot') || unlessRoot();

const ann = { user: 'ann@example.org', password: 'secret', mechanisms: 'clear' } as const;
const unknown = /failure .*reason="Dovecot refuses"/;

/** passdb and userdb over one passwd-file. */
function passwdFile(t: Test, text: string): string {
  const file = join(testFolder(t, { users: text }), 'users');
  return ['passdb', 'userdb']
    .map((block) => `${block} {\n  driver = passwd-file\n  args = ${file}\n}\n`)
    .join('');
}

type Verify = (name: string, password?: string) => Promise<Verdict>;

async function verifier(t: Test, directory: string): Promise<Verify> {
  const opened = await openSources({
    sources: [`dovecot:${directory}`],
    allowsWeakSchemes: false,
    defaultDomain: 'example.org',
  });
  t.teardown(() => opened.close());
  const client = loginClient('192.0.2.7', { isTls: true, service: 'pop3s', level: null });
  return (name, password = 'secret') =>
    opened.verifyPassword(Buffer.from(name), Buffer.from(password), client);
}

t.test(
  'curl and fetchmail log in with a passwd-file of Dovecot',
  { skip: unlessDovecot() || unlessClients() },
  async (t) => {
    const { directory } = await startDovecotAuth(
      t,
      passwdFile(t, 'ann@example.org:{PLAIN}secret:65534:65534::/srv/ann\n'),
    );
    const { program } = await seeClientsLogIn(t, {
      ...ann,
      env: { PASSDB: `dovecot:${directory}` },
    });
    t.match(program.stderr, unknown);
  },
);

t.test(
  'what Dovecot says of a user decides: name, home, mail, and whether to let it in',
  { skip: unlessDovecot() },
  async (t) => {
    const users = `ann@example.org:{PLAIN}secret:65534:65534::/srv/ann::userdb_mail=maildir:~/Maildir
paul:{PLAIN}secret:65534:65534::/home/paul
no@example.org:{PLAIN}secret:65534:65534::/srv/no::nologin=y
net@example.org:{PLAIN}secret:65534:65534::/srv/net::allow_nets=203.0.113.0/24
auto@example.org:{PLAIN}secret:65534:65534::/srv/auto::userdb_mail=~/mail:INBOX=~/in
user=tab@example.org:{PLAIN}secret:65534:65534::/srv/tab
`;
    const dovecot = await startDovecotAuth(t, passwdFile(t, users));
    const verify = await verifier(t, dovecot.directory);
    t.match(await verify('Ann@example.org'), {
      verdict: 'accepted',
      identity: { user: 'ann', domain: 'example.org' },
      grant: { home: '/srv/ann', maildrop: 'maildir:~/Maildir' },
    });
    t.match(
      await verify('paul'),
      {
        verdict: 'accepted',
        identity: { user: 'paul', domain: 'example.org' },
        grant: { home: '/home/paul', maildrop: null },
      },
      'a name without a domain is asked for without one',
    );
    t.match(await verify('no@example.org'), { verdict: 'rejected' });
    t.match(await verify('net@example.org'), { verdict: 'rejected' }, 'the address was told');
    t.match(
      await verify('auto@example.org'),
      { grant: { maildrop: 'maildir:~/mail:INBOX=~/in' } },
      'a location without a format is of a Maildir',
    );
    t.match(await verify('tab@example.org\tnologin'), { verdict: 'rejected' });
    dovecot.freeze();
    t.match(await verify('ann@example.org'), { verdict: 'unavailable', isLasting: false });
    dovecot.thaw();
    t.match(await verify('ann@example.org'), { verdict: 'accepted' });
    await dovecot.stop();
    t.match(await verify('ann@example.org'), { verdict: 'unavailable', isLasting: false });
  },
);

t.test(
  'what passdb exports is a passwd-file to Dovecot, without application passwords',
  { skip: unlessDovecot() },
  async (t) => {
    const database = join(testFolder(t), 'passdb.sqlite');
    const passdb = async (input: string, ...args: readonly string[]): Promise<string> => {
      const run = await runProgram(t, 'passdb', ['--passdb', database, ...args], { input });
      t.equal(run.status, 0, run.stderr);
      return run.stdout.toString();
    };
    for (const [user, scheme] of [
      ['ann', 'SHA512-CRYPT'],
      ['bob', 'PLAIN'],
      ['off', 'SHA512-CRYPT'],
    ] as const) {
      await passdb('se:cret\n', 'add', '--scheme', scheme, `${user}@example.org`);
    }
    await passdb('', 'disable', 'off@example.org');
    const app = await passdb('', 'app', 'add', 'ann@example.org', '--label', 'phone');
    const dovecot = await startDovecotAuth(t, passwdFile(t, await passdb('', 'export')));
    const verify = await verifier(t, dovecot.directory);
    t.match(await verify('ann@example.org', 'se:cret'), { verdict: 'accepted' });
    t.match(await verify('bob@example.org', 'se:cret'), { verdict: 'accepted' });
    t.match(await verify('ann@example.org', app.trim()), { verdict: 'rejected' });
    t.match(await verify('off@example.org', 'se:cret'), { verdict: 'rejected' });
  },
);

t.test(
  'curl and fetchmail log in with LDAP behind Dovecot',
  { skip: unlessDovecot() || unlessSlapd() || unlessClients() },
  async (t) => {
    const { uri } = await startSlapd(t, { 'ann@example.org': 'secret' });
    const file = join(
      testFolder(t, {
        ldap: `uris = ${uri}
base = dc=example,dc=org
auth_bind = yes
pass_attrs = mail=user
pass_filter = (&(objectClass=inetOrgPerson)(mail=%u))
`,
      }),
      'ldap',
    );
    const { directory } = await startDovecotAuth(
      t,
      `passdb {\n  driver = ldap\n  args = ${file}\n}\n`,
    );
    await seeClientsLogIn(t, { ...ann, env: { PASSDB: `dovecot:${directory}` } });
  },
);

t.test(
  'curl and fetchmail log in with PAM behind Dovecot',
  { skip: unlessDovecot() || unlessMountNamespaces() || unlessClients() },
  async (t) => {
    // The machine's own /etc/pam.d stays: only this Dovecot sees another.
    const folder = testFolder(t, { 'pam.d': {} });
    const script = join(folder, 'check');
    writeFileSync(script, `#!/bin/sh\n[ "$PAM_USER/$(tr -d '\\000')" = ann@example.org/secret ]\n`);
    chmodSync(script, 0o755);
    mkdirSync(join(folder, 'pam.d'), { recursive: true });
    writeFileSync(
      join(folder, 'pam.d/pop3-test'),
      `auth required pam_exec.so quiet expose_authtok ${script}\naccount required pam_permit.so\n`,
    );
    const { directory } = await startDovecotAuth(
      t,
      `passdb {
  driver = pam
  args = pop3-test
}
userdb {
  driver = static
  args = uid=65534 gid=65534 home=/srv/%n allow_all_users=yes
}
`,
      [
        ...['unshare', '--mount', 'sh', '-c'],
        `mount --bind ${join(folder, 'pam.d')} /etc/pam.d && exec "$@"`,
        'sh',
      ],
    );
    await seeClientsLogIn(t, { ...ann, env: { PASSDB: `dovecot:${directory}` } });
  },
);
