// services/fail2ban, tried with the real fail2ban-regex on lines that pop3d wrote.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SqliteFile } from '../support/accounts/sqlite-file.js';
import t, { type Test } from 'tap';
import { expectProgram, unlessInstalled } from '../support/peers/debian.js';
import { makePasswordDatabase } from '../support/accounts/password-database-fixture.js';
import { runCommand, runProgram } from '../support/programs/run-program.js';
import { testFolder } from '../support/suite/test-folder.js';

const services = fileURLToPath(new URL('../../../services/fail2ban/', import.meta.url));
const filter = join(services, 'filter.d/pop3d.conf');

const base64 = (text: string): string => Buffer.from(text, 'latin1').toString('base64');

/** A name with lines of its own; SASL's names can have any octet. */
const forgedLines =
  'x\r\npop3d: failure session=a peer=203.0.113.9 code=AUTH user=y\n' +
  '{"program":"pop3d","event":"failure","session":"a","peer":"203.0.113.9","code":"AUTH","user":"y"}\n';

/** Each of them fails to log in, once. */
const failures: Readonly<Record<string, string>> = {
  'a wrong password': 'USER ann@example.org\r\nPASS wrong\r\n',
  'an unknown user': 'USER nobody@example.org\r\nPASS x\r\n',
  'a disabled user': 'USER gone@example.org\r\nPASS open sesame\r\n',
  'AUTH PLAIN': `AUTH PLAIN ${base64('\0ann@example.org\0wrong')}\r\n`,
  'AUTH LOGIN': `AUTH LOGIN\r\n${base64('ann@example.org')}\r\n${base64('wrong')}\r\n`,
  APOP: `APOP ann@example.org ${'0'.repeat(32)}\r\n`,
  'a name that looks like other fields': 'USER x peer=203.0.113.9 code=AUTH user=y\r\nPASS x\r\n',
  'a name with quotation marks': 'USER x" peer=203.0.113.9 code=AUTH user="y\r\nPASS x\r\n',
  'a name that looks like a line':
    'USER x\x0b\x1b\x85pop3d: failure session=a peer=203.0.113.9 code=AUTH user=y\r\nPASS x\r\n',
  'a name that looks like JSON':
    'USER ","peer":"203.0.113.9","code":"AUTH","user":"y\r\nPASS x\r\n',
  'AUTH PLAIN with lines in the name': `AUTH PLAIN ${base64(`\0${forgedLines}\0x`)}\r\n`,
  'AUTH LOGIN with lines in the name': `AUTH LOGIN\r\n${base64(forgedLines)}\r\n${base64('x')}\r\n`,
  'AUTH PLAIN for somebody else': `AUTH PLAIN ${base64('peer=203.0.113.9 code=AUTH user=\0ann@example.org\0wrong')}\r\n`,
  'a very long name': `USER ${'x'.repeat(240)}\r\nPASS x\r\n`,
};

/** None of them is a client's failed login. */
const others: Readonly<Record<string, string>> = {
  'a login': 'USER ann@example.org\r\nPASS open sesame\r\n',
  'no login': 'XYZZY\r\n',
  'a password that nobody could look at': 'USER odd@example.org\r\nPASS x\r\n',
  'a name and no password': 'USER pop3d: failure session=a peer=203.0.113.9 code=AUTH user=y\r\n',
};

/** What pop3d logs of a session, its lines without line feeds. */
async function logOf(
  t: Test,
  mailRoot: string,
  session: { readonly script: string; readonly peer: string; readonly format: string },
): Promise<string[]> {
  const { stderr } = await runProgram(
    t,
    'pop3d',
    ['--failure-delay', '0', '--apop', '--log-format', session.format],
    {
      cwd: mailRoot,
      input: Buffer.from(`${session.script}QUIT\r\n`, 'latin1'),
      env: { TCPREMOTEIP: session.peer },
    },
  );
  return stderr.trimEnd().split('\n');
}

function makeMailRoot(t: Test): string {
  const mailRoot = testFolder(t, {});
  const file = join(mailRoot, 'passdb.sqlite');
  makePasswordDatabase(file, {
    'ann@example.org': 'open sesame',
    'gone@example.org': 'open sesame',
    'odd@example.org': '{ODD}x',
  });
  const database = new SqliteFile(file);
  database.exec("UPDATE users SET active = 'N' WHERE username = 'gone'");
  database.close();
  return mailRoot;
}

/** What stands before a line, by who keeps the log. */
const prefixes: Readonly<Record<string, string>> = {
  'the journal, under tcpsrun': 'Nov 21 14:00:00 mail tcpsrun[4711]: ',
  'the journal, under systemd': '2026-11-21T14:00:00.123456+0000 mail pop3d[4711]: ',
  multilog: '@400000006920707a0000000c ',
  svlogd: '2026-11-21_14:00:00.12345 ',
  'pop3d with --log-time': '2026-11-21T14:00:00.123Z ',
};

/** The addresses that the filter finds in a log, in order. */
async function foundIn(t: Test, lines: readonly string[]): Promise<string[]> {
  const log = join(t.testdirName, 'log');
  writeFileSync(log, lines.map((line) => `${line}\n`).join(''), 'latin1');
  const { stdout, stderr, status } = await runCommand(t, expectProgram('fail2ban-regex'), [
    ...['--out', 'ip', log, filter],
  ]);
  t.equal(status, 0, stderr);
  return stdout.toString().split('\n').filter(Boolean);
}

for (const format of ['logfmt', 'json']) {
  t.test(
    `in ${format}, failed logins of every kind are found with their host, and nothing else`,
    { skip: unlessInstalled('fail2ban-regex') },
    async (t) => {
      const mailRoot = makeMailRoot(t);
      const lines: string[] = [];
      const hosts: string[] = [];
      for (const [index, [name, script]] of Object.entries(failures).entries()) {
        const peer = index % 2 === 0 ? `192.0.2.${index}` : `2001:db8::${index}`;
        const logged = await logOf(t, mailRoot, { script, peer, format });
        t.ok(logged.join().includes('failure'), name);
        lines.push(...logged);
        hosts.push(peer);
      }
      for (const [index, script] of Object.values(others).entries()) {
        const peer = `198.51.100.${index}`;
        lines.push(...(await logOf(t, mailRoot, { script, peer, format })));
      }
      for (const [keeper, prefix] of Object.entries(prefixes)) {
        const found = await foundIn(
          t,
          lines.map((line) => prefix + line),
        );
        t.same(found, hosts, keeper);
      }
    },
  );
}

t.test(
  'what pop3d says through logger(1) is found in syslog',
  { skip: unlessInstalled('fail2ban-regex') },
  async (t) => {
    const [line = ''] = (
      await logOf(t, makeMailRoot(t), {
        script: failures['a wrong password'] ?? '',
        peer: '192.0.2.1',
        format: 'logfmt',
      })
    ).filter((each) => each.includes('failure'));
    // logger -t pop3d makes the program's name the tag.
    const message = line.replace(/^pop3d: /, '');
    const tags = ['pop3d: ', 'pop3d[7]: '];
    const found = await foundIn(t, [
      ...tags.map((tag) => `Nov 21 14:00:00 mail ${tag}${message}`),
      `Nov 21 14:00:00 mail otherd: ${message}`,
    ]);
    t.same(found, ['192.0.2.1', '192.0.2.1'], 'and other programs are not taken for pop3d');
  },
);

t.test(
  'in syslog, forged names of a client with an IPv6 address ban nobody else',
  { skip: unlessInstalled('fail2ban-regex') },
  async (t) => {
    const mailRoot = makeMailRoot(t);
    const forged = Object.keys(failures).filter((name) => /name|somebody/.test(name));
    const lines: string[] = [];
    for (const name of forged) {
      const script = failures[name] ?? '';
      const logged = await logOf(t, mailRoot, { script, peer: '2001:db8::7', format: 'logfmt' });
      lines.push(...logged.map((line) => `Nov 21 14:00:00 mail ${line}`));
    }
    t.ok(forged.length >= 7);
    t.same(
      await foundIn(t, lines),
      forged.map(() => '2001:db8::7'),
    );
  },
);

t.test(
  'fail2ban takes filter and jail',
  { skip: unlessInstalled('fail2ban-client') },
  async (t) => {
    const etc = '/etc/fail2ban';
    const folder = testFolder(t, { 'filter.d': {}, 'jail.d': {} });
    for (const name of ['fail2ban.conf', 'jail.conf', 'action.d', 'paths-debian.conf']) {
      await runCommand(t, 'cp', ['-r', join(etc, name), folder]);
    }
    await runCommand(t, 'cp', ['-r', `${etc}/paths-common.conf`, folder]);
    for (const part of ['filter.d', 'jail.d']) {
      await runCommand(t, 'cp', [join(services, part, 'pop3d.conf'), join(folder, part)]);
    }
    const { stdout, stderr, status } = await runCommand(t, expectProgram('fail2ban-client'), [
      '-c',
      folder,
      '-d',
    ]);
    t.equal(status, 0, stderr);
    t.match(stdout.toString(), /'set', 'pop3d', 'maxretry', 20/);
    t.match(stdout.toString(), /'pop3d', 'addfailregex'/);
  },
);
