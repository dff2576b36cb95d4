// What mail-server(7) says, command by command, on a Debian 12 with a booted systemd: its commands are read from the page and run
// as they stand. The packages that the page installs are there already, since the machine has no network.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { BootedDebian, makeNodePackage, unlessBootable } from '../support/peers/booted-debian.js';
import { unlessInstalled } from '../support/peers/debian.js';
import { installGlobally, packNpmPackage } from '../support/programs/npm-package.js';
import { installNode } from '../support/suite/node-binaries.js';
import { poll } from '../support/suite/deadline.js';

const page = readFileSync(new URL('../../../doc/mail-server.7', import.meta.url), 'utf8');
const packages = 'adduser postfix postfix-sqlite dovecot-imapd dovecot-sqlite sqlite3'.split(' ');
const userAndPassword = 'ann@example.org:open sesame';

t.setTimeout(900_000);

/** The commands of each section, a text for each block. */
function commandsOf(text: string): ReadonlyMap<string, readonly string[]> {
  const sections = text.split(/^\.S[hs] /m).slice(1);
  return new Map(
    sections.map((section) => {
      const [title = ''] = section.split('\n', 1);
      const blocks = section.matchAll(/^\.Bd -literal.*\n([^]*?)^\.Ed$/gm);
      return [title, [...blocks].map(([, block = '']) => block.replaceAll('\\e', '\\'))];
    }),
  );
}

const commands = commandsOf(page);

class Reader {
  readonly #debian: BootedDebian;
  #count = 0;

  constructor(debian: BootedDebian) {
    this.#debian = debian;
  }

  /** Types a block in, in the package's directory, and answers what it asks for. */
  async type(section: string, index: number, answer = ''): Promise<string> {
    const block = commands.get(section)?.[index];
    if (block === undefined) throw new Error(`${section} has no block ${index}`);
    return this.shell(block, answer);
  }

  /** Commands that the page does not have. */
  async shell(script: string, answer = ''): Promise<string> {
    this.#count += 1;
    const name = `typed-${this.#count}`;
    writeFileSync(
      join(this.#debian.shared, name),
      `set -eu\nexport PATH=/usr/local/bin:$PATH\ncd /usr/local/lib/node_modules/pop3-suite\n${script}`,
    );
    writeFileSync(join(this.#debian.shared, `${name}.answer`), answer);
    return this.#debian.do('sh', '-c', `sh /shared/${name} 2>&1 </shared/${name}.answer`);
  }
}

/** A Debian with Node and the npm package. */
async function machine(t: Test): Promise<BootedDebian> {
  const debian = await BootedDebian.boot(t, { name: '-mail', packages });
  const node = installNode('22');
  await makeNodePackage(t, node, debian.shared);
  const tarball = await packNpmPackage(t, debian.shared);
  const prefix = join(debian.shared, 'prefix');
  mkdirSync(prefix);
  await installGlobally(t, tarball, { node, prefix });
  await debian.do('dpkg', '-i', '/shared/nodejs.deb');
  await debian.do('sh', '-c', 'cp -a /shared/prefix/. /usr/local/ && chown -R root: /usr/local');
  return debian;
}

t.test(
  'mail-server(7) is true, command by command',
  { skip: unlessBootable() || unlessInstalled('npm', 'dpkg-deb') },
  async (t) => {
    const debian = await machine(t);
    const reader = new Reader(debian);
    const curl = `curl -sS --max-time 30 -u '${userAndPassword}'`;
    /** What the last command of a shell prints, once it is what it should be. */
    const until = (what: string, command: string, expected: RegExp): Promise<string> =>
      poll(
        what,
        async () => {
          const text = await reader.shell(`${command} || :`);
          return expected.test(text) ? text : undefined;
        },
        120_000,
      );

    await t.test('users and directories', async (t) => {
      await reader.type('Users and directories', 0, 'open sesame\n');
      const rights = await reader.shell('stat -c "%U:%G %a" /srv/mail /etc/pop3/passdb.sqlite');
      t.equal(rights, 'vmail:vmail 750\nvmail:postfix 640\n');
    });

    await t.test('Postfix', async (t) => {
      const found = await reader.type('Postfix', 0);
      t.match(found, /^example\.org\nexample\.org\/ann\/INBOX\/\n$/m);
    });

    await t.test('Dovecot', async () => {
      await reader.type('Dovecot', 0);
    });

    const [send = '', ...read] = (commands.get('Try it')?.[0] ?? '').trimEnd().split('\n');

    await t.test('POP3 without systemd', async () => {
      const [units = '', byHand = ''] = commands.get('POP3') ?? [];
      await reader.shell(units.replace(/^systemctl.*$/m, ''));
      await reader.shell(`${byHand.trimEnd()} >/dev/null 2>&1 & echo $! >/run/by-hand`);
      await reader.shell(send);
      await until('the mail to come', `${curl} pop3://localhost/`, /^1 /);
      await reader.shell(
        'kill -TERM $(cat /run/by-hand); while kill -0 $(cat /run/by-hand); do sleep 0.1; done',
      );
    });

    await t.test('POP3 with systemd, and what is to be tried', async (t) => {
      await reader.type('POP3', 0);
      t.equal(read.length, 3);
      for (const command of read) {
        const text = await reader.shell(command, 'open sesame\n');
        t.match(text, /^1 \d+\r$|^world\r$/m, command);
      }
    });

    await t.test('TLS, and its renewal', async (t) => {
      const makeCertificate = (folder: string): string =>
        `mkdir -p ${folder}; openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
          -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
          -keyout ${folder}/privkey.pem -out ${folder}/fullchain.pem 2>/dev/null\n`;
      await reader.shell(makeCertificate('.'));
      await reader.type('TLS', 0);
      const secure = `${curl} --cacert /etc/pop3/cert.pem pop3s://localhost/1`;
      t.match(await reader.shell(secure), 'world');
      t.match(await reader.shell('stat -c %a /etc/pop3/key.pem'), '600');

      await reader.shell(makeCertificate('/root/renewed'));
      const hook = commands.get('TLS')?.[1] ?? '';
      await reader.shell(`export RENEWED_LINEAGE=/root/renewed\n${hook}`);
      t.match(
        await reader.shell(secure.replace('/etc/pop3/cert.pem', '/root/renewed/fullchain.pem')),
        'world',
      );
    });

    await t.test('users from elsewhere', async (t) => {
      await reader.shell("printf 'bob@example.org:{PLAIN}secret\\n' >users");
      const exported = await reader.type('Users from elsewhere', 0);
      t.match(await reader.shell('cat exported'), /^bob@example\.org:/m, exported);
    });

    await t.test('why a login failed', async () => {
      await reader.shell(`${curl.replace('sesame', 'barley')} pop3://localhost/ || :`);
      await poll(
        'the log to say why',
        async () =>
          /failure .*wrong password/.test(await reader.type('Why a login failed', 0))
            ? true
            : undefined,
        120_000,
      );
    });

    await t.test('a backup', async (t) => {
      await reader.type('Backup', 0);
      t.match(
        await reader.shell('passdb --passdb /var/backups/passdb.sqlite list'),
        'ann@example.org',
      );
    });
  },
);
