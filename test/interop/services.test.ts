// The files of services/ and run/: that each says where it goes, that units are hardened, and that the run scripts work
// under the real supervisors.

import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
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

const files = ['services', 'run'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name))),
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
  'logrotate removes records of sessions after a week, and takes the file as it is',
  { skip: unlessRoot() || unlessInstalled('logrotate') },
  async (t) => {
    const folder = testFolder(t, { sessions: { 'old.txt': 'S: +OK\n', 'new.txt': 'S: +OK\n' } });
    const records = join(folder, 'sessions');
    chmodSync(records, 0o700);
    const [settings, state] = [join(folder, 'pop3'), join(folder, 'state')];
    const text = readFileSync(join(root, 'services/logrotate/pop3'), 'utf8')
      .replace('/var/log/pop3/sessions', records)
      .replace('su vmail vmail', 'su root root');
    writeFileSync(settings, text);
    // Both were seen before, one of them long ago, the other yesterday.
    const day = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
    writeFileSync(
      state,
      `logrotate state -- version 2\n"${records}/old.txt" 2020-1-1-0:0:0\n"${records}/new.txt" ${day}-0:0:0\n`,
      { mode: 0o600 },
    );
    const logrotate = (...more: string[]) =>
      runCommand(t, expectProgram('logrotate'), [...more, '--state', state, settings]);
    const trial = await logrotate('--debug');
    t.equal(trial.status, 0, trial.stderr);
    t.notMatch(trial.stderr, /^(?:error|warning: [^l])/m);
    t.same(readdirSync(records).sort(), ['new.txt', 'old.txt'], 'a trial changes nothing');
    const { status, stderr } = await logrotate();
    t.equal(status, 0, stderr);
    t.equal(stderr, '');
    t.same(readdirSync(records), ['new.txt']);
    t.equal((await logrotate('--force')).status, 0);
    t.same(readdirSync(records), [], 'nothing is kept under another name');
  },
);
