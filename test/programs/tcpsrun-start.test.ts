// Reasons why tcpsrun does not start: rights, users, families of addresses. What is wrong is said, and nothing listens.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { skipOrFail, unlessInstalled, unlessRoot } from '../support/peers/debian.js';
import {
  builtProgram,
  runCommand,
  startCommand,
  type Result,
} from '../support/programs/run-program.js';
import { greeter } from '../support/programs/tcpsrun-fixture.js';
import { testFolder } from '../support/suite/test-folder.js';

const tcpsrun = [process.execPath, builtProgram('tcpsrun')];

/** Root without the rights of which it is to be tested what happens without them. */
const withoutRights = ['setpriv', '--bounding-set', '-setuid,-setgid,-net_bind_service'];

/** A machine of its own, with nothing but loopback. */
const alone = ['unshare', '--net', 'sh', '-c'];

/** Becoming another user and a network of one's own are root's. */
function unlessRootWith(...programs: readonly string[]): string | false {
  const missing = unlessRoot() || unlessInstalled(...programs);
  if (missing !== false) return missing;
  const { status } = spawnSync('unshare', ['--net', 'true']);
  return status === 0 ? false : skipOrFail('unshare(1) makes no network here');
}

function checkRefused(t: Test, result: Result, status: number, message: RegExp): void {
  t.equal(result.status, status, result.stderr);
  t.match(result.stderr, message);
  t.notMatch(result.stderr, /listening/);
  t.equal(result.stderr.trimEnd().split('\n').length, 1, 'one line, and no stack');
}

const users: readonly (readonly [title: string, options: readonly string[], message: RegExp])[] = [
  ['root', ['--user', 'root'], /--user root: root needs no option/],
  ['root by its number', ['--user', '0'], /--user 0: root needs no option/],
  [
    'root with another group',
    ['--user', '0', '--group', '61234'],
    /--user 0: root needs no option/,
  ],
  ['root with zeros before it', ['--user', '000', '--group', '1'], /--user 000: root needs no/],
  ['an unknown group', ['--group', 'no-such'], /--group no-such: .*does not exist/],
  [
    'a user with an unknown group',
    ['--user', 'nobody', '--group', 'no-such'],
    /--user nobody: .*does not exist/,
  ],
  // setuid(2) would take it for "no change".
  ['the user -1', ['--user', '4294967295', '--group', '1'], /--user 4294967295: /],
  ['a number that is none', ['--user', '99999999999', '--group', '1'], /--user 99999999999: /],
];

for (const [title, options, message] of users) {
  t.test(`as ${title} it does not start`, { skip: unlessRoot() }, async (t) => {
    const [node = '', ...words] = tcpsrun;
    const args = [...words, ...options, '127.0.0.1', '0', 'x.run'];
    checkRefused(t, await runCommand(t, node, args), 100, message);
  });
}

t.test('only root can become somebody else', { skip: unlessRootWith('setpriv') }, async (t) => {
  for (const options of [
    ['--user', 'nobody'],
    ['--group', 'nogroup'],
  ]) {
    const [command = '', ...words] = [...withoutRights, ...tcpsrun, ...options];
    const result = await runCommand(t, command, [...words, '127.0.0.1', '0', 'x.run']);
    checkRefused(t, result, 100, /: only root can change to another user$/m);
  }
});

/** Runs a line of shell on a machine of its own. */
async function runAlone(t: Test, script: string): Promise<Result> {
  const [command = '', ...words] = alone;
  return runCommand(t, command, [...words, script]);
}

t.test(
  'a port for which it has no right ends it with 100',
  { skip: unlessRootWith('setpriv', 'unshare', 'ip') },
  async (t) => {
    const command = [...withoutRights, ...tcpsrun, '127.0.0.1', '110', 'x.run'].join(' ');
    const result = await runAlone(t, `ip link set lo up && exec ${command}`);
    checkRefused(
      t,
      result,
      100,
      /fatal: cannot listen on 127\.0\.0\.1 port 110: permission denied/,
    );
  },
);

const withoutIpv6 =
  'ip link set lo up && for f in all lo; do echo 1 >/proc/sys/net/ipv6/conf/$f/disable_ipv6; done';

t.test(
  'without IPv6 on the machine an IPv6 address is one that may come',
  { skip: unlessRootWith('unshare', 'ip') },
  async (t) => {
    const result = await runAlone(t, `${withoutIpv6} && exec ${tcpsrun.join(' ')} ::1 0 x.run`);
    checkRefused(
      t,
      result,
      111,
      /temporary failure: cannot listen on ::1 port 0: address not available/,
    );
  },
);

t.test(
  'without IPv6 on the machine :: serves IPv4 clients',
  { skip: unlessRootWith('unshare', 'ip', 'nsenter') },
  async (t) => {
    const folder = testFolder(t, { 'test.run': greeter });
    const [command = '', ...words] = alone;
    const listen = [...tcpsrun, '::', '4711', join(folder, 'test.run')].join(' ');
    const program = startCommand(t, command, [...words, `${withoutIpv6} && exec ${listen}`]);
    await program.logLine(/listening address=(?:::|0\.0\.0\.0) port=4711/);
    // A client on the same machine.
    const client = await runCommand(t, 'nsenter', [
      ...[`--net=/proc/${program.pid}/ns/net`, process.execPath, '-e'],
      'require("net").connect(4711, "127.0.0.1").end("x\\n").pipe(process.stdout)',
    ]);
    t.match(client.stdout.toString(), /^\+OK [0-9]+\nbye x\n$/);
    await program.logLine(/connect peer=127\.0\.0\.1 /);
  },
);
