// The Debian package on a fresh Debian 12 with a booted systemd: installed, used by each of its units, restarted and upgraded with
// sessions open, removed, purged.

import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { BootedDebian, makeNodePackage, unlessBootable } from '../support/peers/booted-debian.js';
import { unlessInstalled } from '../support/peers/debian.js';
import { startCommand } from '../support/programs/run-program.js';
import { installNode } from '../support/suite/node-binaries.js';

const project = fileURLToPath(new URL('../../../', import.meta.url));
const address = 'ann@example.org';
const password = 'open sesame';
const inbox = '/srv/mail/example.org/ann/INBOX';
const curl = ['curl', '-sS', '--max-time', '30', '--cacert', '/etc/pop3/cert.pem'];

t.setTimeout(1_800_000);

/** What curl reads. */
function read(debian: BootedDebian, url: string): Promise<string> {
  return debian.do(...curl, '-u', `${address}:${password}`, url);
}

async function install(debian: BootedDebian, ...options: readonly string[]): Promise<void> {
  await debian.do('sh', '-c', `apt-get -q -y ${options.join(' ')} install /shared/*.deb`);
}

/** Other sockets in the place of those that are enabled. */
async function serveBy(debian: BootedDebian, ...names: readonly string[]): Promise<void> {
  await debian.do('systemctl', 'stop', 'pop3*.socket', 'pop3*.service');
  await debian.do('systemctl', 'start', ...names.map((name) => `${name}.socket`));
}

t.test(
  'the Debian package serves, restarts without an outage, and leaves mail and passwords',
  { skip: unlessBootable() || unlessInstalled('dpkg-deb') },
  async (t) => {
    const debian = await BootedDebian.boot(t);
    const deb = startCommand(t, join(project, 'services/packaging/deb'), [debian.shared]);
    const built = await deb.finish('', 240_000);
    t.equal(built.status, 0, built.stderr);
    await t.test('lintian finds nothing', { skip: unlessInstalled('lintian') }, async (t) => {
      const packages = [
        '-c',
        'lintian --fail-on error,warning "$0"/pop3-suite_*.deb',
        debian.shared,
      ];
      const { status, stdout } = await startCommand(t, 'bash', packages).finish('', 240_000);
      t.match({ status, text: stdout.toString() }, { status: 0, text: '' });
    });
    await makeNodePackage(t, installNode('22'), debian.shared);
    cpSync(join(project, 'services/packaging/debian/tests/login'), join(debian.shared, 'login'));

    await t.test('installed, three commands give a mailbox that curl reads', async (t) => {
      await install(debian);
      t.match(await debian.do('/shared/login'), 'pop3s://localhost/1 was read');
      t.equal((await debian.do('stat', '-c', '%U %a', '/srv/mail')).trim(), 'vmail 750');
      t.match(await debian.do('man', '-w', 'pop3d').catch(() => 'no man here'), /pop3d|no man/);
    });

    await t.test('every socket unit serves', async (t) => {
      for (const [socket, url] of [
        ['pop3', 'pop3://localhost/1'],
        ['pop3s', 'pop3s://localhost/1'],
        ['pop3-workers', 'pop3://localhost/1'],
      ] as const) {
        await serveBy(debian, socket);
        t.match(await read(debian, url), 'world', socket);
      }
    });

    await t.test('pop3get@ fetches an account, by a password or by what pop3token keeps', (t) =>
      fetchAccounts(t, debian),
    );

    for (const name of ['pop3-tcpsrun', 'pop3-workers']) {
      await t.test(`${name}: a session outlives restart, crash, upgrade and stop`, (t) =>
        outlive(t, debian, name),
      );
    }

    await t.test('reload reads the rules again', async (t) => {
      await serveBy(debian, 'pop3-tcpsrun');
      t.match(await read(debian, 'pop3://localhost/'), /^1 /);
      await debian.do('tcprule', '/etc/pop3/rules', 'add', '127.0.0.0/8', '0');
      await debian.do('systemctl', 'reload', 'pop3-tcpsrun.service');
      t.equal((await debian.run(...curl, 'pop3://127.0.0.1/')).status === 0, false);
      await debian.do('tcprule', '/etc/pop3/rules', 'delete', '127.0.0.0/8');
    });

    await t.test('removed and purged, it leaves mail and passwords', async (t) => {
      await debian.do('apt-get', '-q', '-y', 'remove', 'pop3-suite');
      t.not((await debian.run('which', 'pop3d')).status, 0);
      await debian.do('apt-get', '-q', '-y', 'purge', 'pop3-suite');
      await debian.do('test', '-e', `${inbox}/new`, '-a', '-s', '/etc/pop3/passdb.sqlite');
      t.not((await debian.run('test', '-e', '/etc/pop3/pop3.run')).status, 0);
    });

    await t.test('asked to, a purge removes them', async (t) => {
      await install(debian);
      t.match(await debian.do('passdb', '--passdb', '/etc/pop3/passdb.sqlite', 'list'), address);
      await debian.do(
        ...['env', 'POP3_SUITE_PURGE=everything'],
        ...['apt-get', '-q', '-y', 'purge', 'pop3-suite'],
      );
      t.not((await debian.run('test', '-e', '/srv/mail')).status, 0);
      t.not((await debian.run('test', '-e', '/etc/pop3')).status, 0);
    });
  },
);

/** ann has a password; bob has a grant of pop3token, whose provider cannot be reached. */
async function fetchAccounts(t: Test, debian: BootedDebian): Promise<void> {
  await serveBy(debian, 'pop3s');
  const accounts = `[defaults]
domain = localhost
username = ${address}
tls = implicit
tls-ca = /etc/pop3/cert.pem
directory = /srv/mail/fetched
keep
[ann]
password-file = $CREDENTIALS_DIRECTORY/secret
[bob]
account = bob
token-command = pop3token bob
auth = xoauth2
`;
  const grant = {
    ...{ version: 1, user: null, consentAddress: 'https://localhost/', accessToken: 'old' },
    ...{ expiresAt: 1, lifetimeMs: 1, grantedAt: 1, endsAt: null, refreshToken: 'x' },
    provider: { name: 'p', token: 'https://localhost:9/', clientId: 'c', clientSecret: null },
  };
  const script = `set -e
echo 127.0.0.1 localhost >>/etc/hosts
install -d -m 700 /etc/pop3get/secrets
printf '%s' '${accounts}' >/etc/pop3get/accounts
printf '%s\\n' '${password}' >/etc/pop3get/secrets/ann
for folder in . new cur tmp; do install -d -o vmail -m 700 /srv/mail/fetched/$folder; done
install -d -o vmail -m 700 /var/lib/pop3token
printf '%s' '${JSON.stringify(grant)}' | install -o vmail -m 600 /dev/stdin /var/lib/pop3token/bob.json
systemctl start pop3get@ann.service
grep -rq world /srv/mail/fetched/new
systemctl start pop3get@bob.service
systemctl start pop3get@ann.timer`;
  const { status, stderr } = await debian.run('bash', '-c', script);
  await debian.do('journalctl', '--sync');
  const log = await debian.run('journalctl', '-o', 'cat', '-u', 'pop3get@bob.service');
  const journal = `${log.stdout.toString()}${log.stderr}`;
  t.equal(status, 0, `${stderr}${journal}`);
  // It could write what it renews before it asked for that.
  t.match(journal, /pop3token: temporary failure: cannot speak to localhost:9/);
  t.match(journal, /failed error=.*--token-command failed \(exit status 111\).* account=bob/);
  await debian.do('systemctl', 'stop', 'pop3get@ann.timer');
}

async function outlive(t: Test, debian: BootedDebian, name: string): Promise<void> {
  const service = `${name}.service`;
  const kill = ['systemctl', 'kill', '--signal=KILL', '--kill-who=main', service];
  await serveBy(debian, name);
  for (const [what, act] of [
    ['restart', () => debian.do('systemctl', 'restart', service)],
    ['a crash', () => debian.do(...kill)],
    ['an upgrade', () => install(debian, '--reinstall')],
    ['stop', () => debian.do('systemctl', 'stop', `${name}.socket`, service)],
  ] as const) {
    await debian.do('sh', '-c', `printf 'x\\n' | install -o vmail /dev/stdin ${inbox}/new/2.2.mx`);
    const client = debian.connect(110);
    await client.login(address, password);
    await client.ok('DELE 2');
    await act();
    if (what !== 'stop') t.match(await read(debian, 'pop3://localhost/1'), 'world', what);
    await client.message('RETR 1');
    t.match(await client.ok('QUIT'), /^\+OK/, `the session ends as it should after ${what}`);
    t.not((await debian.run('test', '-e', `${inbox}/new/2.2.mx`)).status, 0, what);
  }
}
