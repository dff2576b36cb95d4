// What pop3d logs, and where: never to the client, and never at the session's cost.

import { closeSync, chmodSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { poll } from '../support/suite/deadline.js';
import { makeInbox } from '../support/mail/maildir-fixture.js';
import { makePasswordDatabase } from '../support/accounts/password-database-fixture.js';
import {
  runCommand,
  runProgram,
  builtProgram,
  startProgram,
} from '../support/programs/run-program.js';
import { makeSocketPair } from '../support/sessions/socket-pair.js';
import { WireClient } from '../support/sessions/wire-client.js';
import { testFolder } from '../support/suite/test-folder.js';

/** The script has a failed login in it. */
const undelayed = ['--failure-delay', '0'];

const script =
  'USER Evil\x1b[2J" reason=x@example.org\r\nPASS hunter2\r\n' +
  'USER ann@example.org\r\nPASS open sesame\r\n' +
  'LIST\r\nRETR 1\r\nTOP 2 0\r\nDELE 1\r\nQUIT\r\n';

function makeMailRoot(t: Test): string {
  const cwd = testFolder(t, {});
  makePasswordDatabase(join(cwd, 'passdb.sqlite'), { 'ann@example.org': 'open sesame' });
  const inbox = makeInbox(cwd, 'ann@example.org');
  inbox.add('a: b\n\nx\n');
  inbox.add('c: d\n\ny\n');
  return cwd;
}

t.test('a session leaves a line for connect, failure, login and logout', async (t) => {
  const { stderr, status } = await runProgram(t, 'pop3d', undelayed, {
    cwd: makeMailRoot(t),
    input: Buffer.from(script, 'latin1'),
    env: { ACCESSLEVEL: '2', TCPREMOTEIP: '192.0.2.7' },
  });
  t.equal(status, 0);
  const lines = stderr
    .trimEnd()
    .split('\n')
    .filter((line) => !line.includes('warning'));
  t.equal(lines.length, 4, stderr);
  const [connect, failure, login, logout] = lines;
  t.match(connect, /^pop3d: connect session=\S+ peer=192\.0\.2\.7 level=2$/);
  t.match(
    failure,
    /^pop3d: failure session=\S+ peer=192\.0\.2\.7 code=AUTH user="Evil\\u001b\[2J\\" reason=x@example\.org" mechanism=USER reason=/,
  );
  t.match(login, /^pop3d: login .*user=ann@example\.org mechanism=USER/);
  t.match(
    logout,
    /^pop3d: logout .*reason=quit messages=2 octets=22 retr=1\/11 top=1\/\d+ dele=1 seconds=/,
  );
  const sessions = new Set(lines.map((line) => /session=(\S+)/.exec(line)?.[1]));
  t.equal(sessions.size, 1, 'one session id in all of them');
  t.notMatch(stderr, /hunter2|sesame/);
});

t.test(
  '--log-time begins each line with the time, in JSON it ends it; LOG_TIME does the same',
  async (t) => {
    const run = async (args: readonly string[], env = {}): Promise<readonly string[]> => {
      const cwd = makeMailRoot(t);
      const { stderr } = await runProgram(t, 'pop3d', args, {
        cwd,
        input: Buffer.from('QUIT\r\n'),
        env,
      });
      return stderr.trimEnd().split('\n');
    };
    const time = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$/;
    for (const lines of [await run(['--log-time']), await run([], { LOG_TIME: '1' })]) {
      t.equal(lines.length, 2);
      for (const line of lines) {
        const [at = '', program] = line.split(' ');
        t.match(at, time);
        t.equal(program, 'pop3d:');
      }
    }
    for (const line of await run(['--log-time', '--log-format', 'json'])) {
      const members = JSON.parse(line) as Record<string, string>;
      t.same(Object.keys(members).slice(0, 2), ['program', 'event']);
      t.equal(Object.keys(members).at(-1), 'time');
      t.match(members['time'], time);
    }
    for (const line of await run([])) t.match(line, /^pop3d: /);
  },
);

t.test('--log-format json gives one object a line with the same keys', async (t) => {
  const { stderr } = await runProgram(t, 'pop3d', [...undelayed, '--log-format', 'json'], {
    cwd: makeMailRoot(t),
    input: Buffer.from(script, 'latin1'),
  });
  const events = stderr
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { program: string; event: string; reason?: string });
  t.ok(events.every(({ program }) => program === 'pop3d'));
  t.match(events.at(-1), { event: 'logout', reason: 'quit', dele: 1, retr: '1/11' });
});

t.test('a log that cannot be written costs no session', async (t) => {
  const expected = await runProgram(t, 'pop3d', undelayed, { cwd: makeMailRoot(t), input: script });
  const full = openSync('/dev/full', 'w');
  const toFull = await startProgram(t, 'pop3d', undelayed, {
    cwd: makeMailRoot(t),
    fds: [null, null, full],
  }).finish(script);
  closeSync(full);
  t.strictSame([toFull.status, toFull.stdout], [0, expected.stdout], 'a full disk');
  const closed = await runCommand(
    t,
    'sh',
    ['-c', 'exec "$0" "$@" 2>&-', process.execPath, builtProgram('pop3d'), ...undelayed],
    {
      cwd: makeMailRoot(t),
      input: script,
    },
  );
  t.strictSame([closed.status, closed.stdout], [0, expected.stdout], 'stderr closed');
  const unread = await runCommand(
    t,
    'sh',
    [
      ...['-c', '"$0" "$@" 2>&1 >&3 3>&- | : ; wait', process.execPath],
      ...[builtProgram('pop3d'), ...undelayed],
    ],
    { cwd: makeMailRoot(t), input: script, fds: [null, null, null, null] },
  );
  t.equal(unread.status, 0, 'a log reader that is gone');
});

t.test('where stderr is the connection, as inetd leaves it, the log goes to syslog', async (t) => {
  const cwd = makeMailRoot(t);
  const record = join(cwd, 'logged');
  writeFileSync(
    join(cwd, 'logger'),
    `#!/bin/sh\necho "$@" > "${record}.args"\ncat > "${record}"\n`,
  );
  chmodSync(join(cwd, 'logger'), 0o755);
  const pair = await makeSocketPair();
  const program = startProgram(t, 'pop3d', undelayed, {
    cwd,
    env: { PATH: `${cwd}:${process.env['PATH'] ?? ''}` },
    fds: [pair.server, pair.server, pair.server],
  });
  pair.server.destroy();
  const client = new WireClient(pair.client, pair.client);
  await client.status();
  client.write(script);
  const replies = (await client.rest()).toString('latin1');
  client.end();
  t.equal((await program.ending).status, 0);
  t.notMatch(replies, /pop3d|session=|logout/);
  t.match(replies, /^(?:[+-](?:OK|ERR)[^\n]*\r\n){4}/);
  const lines = await poll('logger gets the lines', () => {
    const text = existsSync(record) ? readFileSync(record, 'latin1') : '';
    return Promise.resolve(text.includes('logout') ? text : undefined);
  });
  t.match(lines, /^login .*ann@example\.org/m);
  t.match(readFileSync(`${record}.args`, 'latin1'), '-p mail.info -t pop3d');
});

t.test('--log syslog sends the log there from any connection', async (t) => {
  const cwd = makeMailRoot(t);
  const record = join(cwd, 'logged');
  writeFileSync(join(cwd, 'logger'), `#!/bin/sh\ncat > "${record}"\n`);
  chmodSync(join(cwd, 'logger'), 0o755);
  const { stderr, status } = await runProgram(t, 'pop3d', [...undelayed, '--log', 'syslog'], {
    cwd,
    input: script,
    env: { PATH: `${cwd}:${process.env['PATH'] ?? ''}` },
  });
  t.strictSame([status, stderr], [0, '']);
  await poll('logger gets the lines', () =>
    Promise.resolve(
      existsSync(record) && readFileSync(record, 'latin1').includes('logout') ? true : undefined,
    ),
  );
});

t.test('without logger(1) the lines are lost and nothing else', async (t) => {
  const { stdout, status } = await runProgram(t, 'pop3d', [...undelayed, '--log', 'syslog'], {
    cwd: makeMailRoot(t),
    input: script,
    env: { PATH: '/nonexistent' },
  });
  t.equal(status, 0);
  t.match(stdout.toString('latin1'), /\+OK Logging out, 1 message removed\r\n$/);
});

t.test('a descriptor that is no open stream socket ends the program with 100', async (t) => {
  const cwd = makeMailRoot(t);
  const file = openSync(join(cwd, 'passdb.sqlite'), 'r');
  for (const [args, fds, complaint] of [
    [['99'], [], 'descriptor 99 is not open'],
    [['3'], [null, null, null, file], 'descriptor 3 is no socket'],
  ] as const) {
    const { status, stdout, stderr } = await startProgram(t, 'pop3d', args, { cwd, fds }).finish();
    t.equal(status, 100);
    t.equal(stdout.length, 0);
    t.match(stderr, complaint);
  }
  closeSync(file);
  t.equal(readFileSync(join(cwd, 'passdb.sqlite')).subarray(0, 6).toString(), 'SQLite');
});
