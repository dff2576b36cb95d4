// The programs under a low limit of open files: they work, or say in a line why not.

import { mkdirSync } from 'node:fs';
import t from 'tap';
import { unlessInstalled } from '../support/peers/debian.js';
import { builtProgram, runCommand, startCommand } from '../support/programs/run-program.js';
import { fewestDescriptors } from '../support/programs/fewest-descriptors.js';
import { Client, shellRunFile } from '../support/programs/tcpsrun-fixture.js';
import { testFolder } from '../support/suite/test-folder.js';

const skip = unlessInstalled('prlimit');

/** prlimit(1)'s command line for one of our programs. */
function limited(limit: number, name: string, args: readonly string[]): readonly string[] {
  return [`--nofile=${limit}`, process.execPath, builtProgram(name), ...args];
}

const fewest = fewestDescriptors();

// With less to spare the runtime may not even read the program.
for (const spare of [2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 18]) {
  const limit = fewest + spare;
  t.test(
    `tcpsrun with ${limit} descriptors serves, or ends and names the limit`,
    { skip },
    async (t) => {
      const cwd = testFolder(t, {
        'test.run': shellRunFile('echo ready >&%5; echo +OK; read line'),
        rules: '127.0.0.1 1\n',
      });
      const args = ['--rules', 'rules', '127.0.0.1', '0', 'test.run'];
      const tcpsrun = startCommand(t, 'prlimit', limited(limit, 'tcpsrun', args), { cwd });
      const [line, port] = await tcpsrun.logLine(/^tcpsrun: (?:listening .* port=([0-9]+)$|.*)/);
      if (port === undefined) {
        t.equal(
          line.replace(/at least [0-9]+/, 'at least N'),
          `tcpsrun: temporary failure: the limit of open files is ${limit}, and at least N are needed (ulimit -n, LimitNOFILE=)`,
        );
        t.equal((await tcpsrun.ending).status, 111);
        t.equal(tcpsrun.stderr, `${line}\n`);
        return;
      }
      for (let count = 0; count < 3; count += 1) {
        const client = new Client(Number(port), '127.0.0.1');
        t.equal(await client.firstLine(), '+OK');
        client.socket.end('bye\n');
        await client.end();
      }
    },
  );
}

t.test('tcpsrun counts the channels of its workers', { skip }, async (t) => {
  const cwd = testFolder(t, { 'test.run': shellRunFile('read line') });
  const args = ['--workers', '40', '127.0.0.1', '0', 'test.run'];
  const result = await runCommand(t, 'prlimit', limited(40, 'tcpsrun', args), { cwd });
  t.equal(result.status, 111);
  t.match(result.stderr, /the limit of open files is 40, and at least [67][0-9] are needed/);
});

const others: readonly (readonly [name: string, args: readonly string[], status: number])[] = [
  ['runsvc', ['--once', 'true.run'], 0],
  ['tcprule', ['rules', 'add', '192.0.2.1', '1'], 0],
  ['passdb', ['add', 'ann@example.org'], 0],
  ['pop3get', ['--byip', '--port', '1', '--tls', 'off', '127.0.0.1', 'ann', 'secret'], 111],
];

for (const [name, args, status] of others) {
  t.test(
    `${name} works with 6 descriptors more than Node needs, and says so where it cannot with 2`,
    { skip },
    async (t) => {
      const cwd = testFolder(t, { 'true.run': 'program true\nargument true\n' });
      for (const folder of ['new', 'cur', 'tmp']) mkdirSync(`${cwd}/${folder}`);
      const fewer = await runCommand(t, 'prlimit', limited(fewest + 2, name, args), {
        cwd,
        input: 'secret\n',
      });
      t.ok([status, 111].includes(fewer.status ?? -1), `it ends with ${fewer.status}`);
      t.notMatch(fewer.stderr, /^ {4}at |\\n {4}at /m, 'no stack trace');
      const enough = await runCommand(t, 'prlimit', limited(fewest + 6, name, args), {
        cwd: testFolder(t, {
          'true.run': 'program true\nargument true\n',
          new: {},
          cur: {},
          tmp: {},
        }),
        input: 'secret\n',
      });
      t.equal(enough.status, status, enough.stderr);
      t.notMatch(enough.stderr, /^ {4}at |\\n {4}at |EMFILE/m, 'no stack trace');
    },
  );
}
