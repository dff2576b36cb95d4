// The files of services/ and run/: that each says where it goes, that units are hardened, and that the run scripts work
// under the real supervisors.

import { chmodSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { readRunFile } from '../../src/run-file/read-run-file.js';
import { poll } from '../support/suite/deadline.js';
import { expectProgram, unlessInstalled, unlessRoot } from '../support/peers/debian.js';
import { freePort } from '../support/suite/free-port.js';
import { pop3RunFile } from '../support/programs/mail-server.js';
import { builtProgram, runCommand, startCommand } from '../support/programs/run-program.js';
import { Client } from '../support/programs/tcpsrun-fixture.js';
import { testFolder } from '../support/suite/test-folder.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** Makes the packages; nobody installs it. */
const packaging = 'services/packaging/';
const files = ['services', 'run'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((file) => !file.startsWith(packaging)),
);

for (const file of files) {
  t.test(`${file} says in its first lines where to install it`, (t) => {
    const text = readFileSync(join(root, file), 'utf8');
    t.match(text.split('\n').slice(0, 4).join('\n'), /install/i);
    if (file.endsWith('.run')) t.ok(readRunFile(join(root, file)).directives.length > 0);
    if (file.endsWith('/run')) t.ok((statSync(join(root, file)).mode & 0o111) === 0o111);
    t.end();
  });
}

t.test(
  'the systemd services are rated below 3.0',
  { skip: unlessInstalled('systemd-analyze') },
  async (t) => {
    for (const unit of files.filter((file) => file.endsWith('.service'))) {
      const { stdout, stderr } = await runCommand(t, expectProgram('systemd-analyze'), [
        ...['security', '--offline=true', '--no-pager', join(root, unit)],
      ]);
      const [, exposure] =
        /Overall exposure level for .*: ([0-9.]+) /.exec(stdout.toString()) ?? [];
      t.ok(Number(exposure) < 3, `${unit}: ${exposure ?? stderr}`);
    }
  },
);

/** A service directory with the run script of services/, for places and a port of the test's own. */
async function makeService(t: Test, supervisor: string): Promise<{ folder: string; port: number }> {
  const folder = testFolder(t, { service: {}, bin: {}, mail: {}, rules: 'default 1\n' });
  const port = await freePort();
  const bin = join(folder, 'bin');
  for (const name of ['tcpsrun', 'pop3d']) {
    const script = `#!/bin/sh\nexec ${process.execPath} ${builtProgram(name)} "$@"\n`;
    writeFileSync(join(bin, name), script, { mode: 0o755 });
  }
  const script = readFileSync(join(root, 'services', supervisor, 'run'), 'utf8')
    .replace('/usr/local/bin', `${bin}:${dirname(process.execPath)}`)
    .replace('/srv/mail', join(folder, 'mail'))
    .replace('/etc/pop3/pop3.run', pop3RunFile)
    .replace('/etc/pop3/rules', join(folder, 'rules'))
    .replace('/etc/pop3/passdb.sqlite', join(folder, 'passdb.sqlite'))
    .replace('--user vmail ', '')
    .replace(':: pop3', `127.0.0.1 ${port}`);
  writeFileSync(join(folder, 'service/run'), script, { mode: 0o755 });
  return { folder: join(folder, 'service'), port };
}

const supervisors = [
  { name: 'runit', program: 'runsv', down: ['sv', 'down'], exit: ['sv', 'exit'] },
  { name: 'daemontools', program: 'supervise', down: ['svc', '-d'], exit: ['svc', '-dx'] },
  { name: 's6', program: 's6-supervise', down: ['s6-svc', '-d'], exit: ['s6-svc', '-dx'] },
] as const;

for (const { name, program, down, exit } of supervisors) {
  t.test(
    `under ${name} the service greets, and stopping it lets a session finish`,
    { skip: unlessInstalled(program, down[0]) },
    async (t) => {
      const { folder, port } = await makeService(t, name);
      const supervisor = startCommand(t, expectProgram(program), [folder], {
        fds: [null, 2, null],
      });
      const client = await poll('the service to greet', async () => {
        const attempt = new Client(port, '127.0.0.1');
        const line = await attempt.firstLine().catch(() => '');
        return line.startsWith('+OK') ? attempt : undefined;
      });
      const control = async ([command, option]: readonly [string, string]): Promise<void> => {
        const { status, stderr } = await runCommand(t, expectProgram(command), [option, folder]);
        t.equal(status, 0, stderr);
      };
      await control(down);
      await poll('new clients to be refused', async () => {
        // Until the supervisor's signal arrives they are served.
        const late = new Client(port, '127.0.0.1');
        const isServed = await late.firstLine().then(
          () => true,
          () => false,
        );
        late.socket.destroy();
        return isServed ? undefined : true;
      });
      client.socket.write('QUIT\r\n');
      t.match((await client.end()).received, /^\+OK.*\r\n\+OK.*\r\n$/);
      client.socket.destroy();
      await control(exit);
      t.equal((await supervisor.ending).status, 0);
    },
  );
}

t.test(
  'logrotate removes each record of a session a week after it was written, whatever day of the week it is',
  { skip: unlessRoot() || unlessInstalled('logrotate', 'faketime') },
  async (t) => {
    const folder = testFolder(t, { sessions: {} });
    const records = join(folder, 'sessions');
    chmodSync(records, 0o700);
    const [settings, state] = [join(folder, 'pop3'), join(folder, 'state')];
    const text = readFileSync(join(root, 'services/logrotate/pop3'), 'utf8')
      .replace('/var/log/pop3/sessions', records)
      .replace('su vmail vmail', 'su root root');
    writeFileSync(settings, text);
    // logrotate reads no settings that others may write, as they may with a umask of 0.
    chmodSync(settings, 0o644);
    const logrotate = (time: string, ...more: string[]) =>
      runCommand(
        t,
        expectProgram('faketime'),
        [time, expectProgram('logrotate'), ...more, '--state', state, settings],
        // The times of files are what they are.
        { env: { TZ: 'UTC', NO_FAKE_STAT: '1' } },
      );
    // Sunday 29 November 2026, and two weeks on: across the end of a month.
    const dayMs = 86_400_000;
    const firstMs = Date.UTC(2026, 10, 29);
    const removedAfterDays: number[] = [];
    const wanted: string[] = [];
    for (let day = 0; day < 14; day += 1) {
      const noon = new Date(firstMs + day * dayMs + dayMs / 2);
      const name = `${day}.txt`;
      writeFileSync(join(records, name), 'S: +OK\n');
      utimesSync(join(records, name), noon, noon);
      wanted.push(name);
      // Some minutes later each night, as a timer starts it.
      const night = new Date(firstMs + (day + 1) * dayMs + day * 60_000).toISOString().slice(0, 19);
      const before = readdirSync(records);
      const { status, stderr } = await logrotate(night.replace('T', ' '));
      t.equal(status, 0, stderr);
      t.equal(stderr, '');
      for (const gone of before.filter((name) => !readdirSync(records).includes(name))) {
        removedAfterDays.push(day - Number.parseInt(gone));
        wanted.splice(wanted.indexOf(gone), 1);
      }
    }
    t.same(removedAfterDays, [7, 7, 7, 7, 7, 7, 7]);
    t.same(readdirSync(records).sort(), wanted.sort());
    const trial = await logrotate('2026-12-31 00:00:00', '--debug');
    t.equal(trial.status, 0, trial.stderr);
    t.notMatch(trial.stderr, /^(?:error|warning: [^l])/m);
    t.same(readdirSync(records).sort(), wanted.sort(), 'a trial changes nothing');
    t.equal((await logrotate('2026-12-31 00:00:00', '--force')).status, 0);
    t.same(readdirSync(records), [], 'nothing is kept under another name');
  },
);
