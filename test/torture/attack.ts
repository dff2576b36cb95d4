// A real user logs in again and again while a server is attacked; afterwards everything that the attack cost is given back.
// ATTACK_SECONDS sets how long each attack lasts (4), ATTACK_LOGIN_MS how long each login may take, in ms (60000).

import { closeSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { poll } from '../support/suite/deadline.js';
import { startMailServer, type MailServer } from '../support/programs/mail-server.js';
import { makeInbox } from '../support/mail/maildir-fixture.js';
import { makePasswordDatabase } from '../support/accounts/password-database-fixture.js';
import { builtProgram, startCommand } from '../support/programs/run-program.js';
import { connectWireClient } from '../support/sessions/wire-client.js';
import { testFolder } from '../support/suite/test-folder.js';

const attackMs = Number(process.env['ATTACK_SECONDS'] ?? '4') * 1000;
/** The promise is 1000, where nothing else runs. Beside other tests this only tells slow from blocked. */
const loginLimitMs = Number(process.env['ATTACK_LOGIN_MS'] ?? '60000');
const pauseMs = 100;

interface Attacked {
  readonly t: Test;
  readonly server: MailServer;
}

/** A mail server whose user ann has a message of 100 MB, and bob, who is the real user, a small one. */
export async function startServer(t: Test, args: readonly string[]): Promise<Attacked> {
  const mailRoot = testFolder(t, {});
  makePasswordDatabase(join(mailRoot, 'passdb.sqlite'), {
    'ann@example.org': 'open sesame',
    'bob@example.org': 'open sesame',
  });
  writeLargeMessage(join(makeInbox(mailRoot, 'ann@example.org').path, 'cur'));
  makeInbox(mailRoot, 'bob@example.org').add('a: b\n\nx\n');
  const server = await startMailServer(t, mailRoot, { args });
  return { t, server };
}

function writeLargeMessage(folder: string): void {
  const part = Buffer.from(`${'x'.repeat(62)}\r\n`.repeat(16_384));
  const fd = openSync(join(folder, `1.large.host,W=${8 + 100 * part.length}:2,`), 'w');
  writeSync(fd, 'a: b\r\n\r\n');
  for (let written = 0; written < 100; written += 1) writeSync(fd, part);
  closeSync(fd);
}

/** @returns milliseconds from connecting to the reply to QUIT */
async function logIn(port: number): Promise<number> {
  const startMs = performance.now();
  const client = await connectWireClient(port);
  await client.login('bob@example.org', 'open sesame');
  const tookMs = performance.now() - startMs;
  await client.ok('QUIT');
  client.end();
  return tookMs;
}

/** What an attack may not cost for good. */
interface Cost {
  readonly descriptors: number;
  readonly rssMiB: number;
  readonly zombies: number;
}

function costOf({ server }: Attacked): Cost {
  const { pid } = server.program;
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const zombies = readdirSync('/proc').filter((name) => {
    if (!/^[0-9]+$/.test(name)) return false;
    try {
      const [, state, parent] =
        /\) (\S) ([0-9]+) /.exec(readFileSync(`/proc/${name}/stat`, 'latin1')) ?? [];
      return state === 'Z' && Number(parent) === pid;
    } catch {
      return false;
    }
  });
  return {
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    rssMiB: Number(/VmRSS:\s+([0-9]+)/.exec(status)?.[1]) / 1024,
    zombies: zombies.length,
  };
}

interface Attack {
  readonly kind: 'trickle' | 'read' | 'reset';
  readonly from: string;
  readonly count: number;
  /** What tells that it is under way, for those that take a while. */
  readonly isUnderWay: (counters: Readonly<Record<string, number>>) => boolean;
}

async function countersOf({ server: { program } }: Attacked): Promise<Record<string, number>> {
  const before = program.stderr.length;
  program.kill('SIGUSR1');
  const line = await poll('a line of counters', () =>
    Promise.resolve(/counters (.*)\n/.exec(program.stderr.slice(before))?.[1]),
  );
  const pairs = line.split(' ').map((pair) => pair.split('='));
  return Object.fromEntries(pairs.map(([name = '', value]) => [name, Number(value)]));
}

export async function attack(
  attacked: Attacked,
  { kind, from, count, isUnderWay }: Attack,
): Promise<void> {
  const { t, server } = attacked;
  // Everything that a first login loads is there, for good.
  for (let warm = 0; warm < 5; warm += 1) await logIn(server.port);
  await poll('the sessions to end', async () =>
    (await countersOf(attacked))['running'] === 0 ? true : undefined,
  );
  const before = costOf(attacked);

  const attacker = startCommand(t, process.execPath, [
    builtProgram('test/torture/attacker.js'),
    ...[kind, String(server.port), from, String(count)],
  ]);
  const logins: number[] = [];
  const logInAgain = async (): Promise<void> => {
    logins.push(await logIn(server.port));
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  };
  const giveUpMs = performance.now() + 60_000;
  while (!isUnderWay(await countersOf(attacked)) && performance.now() < giveUpMs)
    await logInAgain();
  t.ok(isUnderWay(await countersOf(attacked)), 'the attack is under way');
  const untilMs = performance.now() + attackMs;
  while (performance.now() < untilMs) await logInAgain();
  const counted = await countersOf(attacked);
  const { stdout } = await attacker.finish();

  const slowest = Math.max(...logins);
  t.comment(
    `${logins.length} logins, the slowest in ${slowest.toFixed(0)} ms; attacker ${stdout.toString().trim()}; ` +
      `counters ${JSON.stringify(counted)}`,
  );
  t.ok(logins.length > 0 && slowest < loginLimitMs, `the slowest login took ${slowest} ms`);
  await poll(
    'the sessions to end',
    async () => ((await countersOf(attacked))['running'] === 0 ? true : undefined),
    90_000,
  );
  const after = costOf(attacked);
  t.comment(`before ${JSON.stringify(before)}, after ${JSON.stringify(after)}`);
  t.ok(after.descriptors <= before.descriptors, 'descriptors are given back');
  t.equal(after.zombies, 0, 'all programs that ended were waited for');
  t.ok(after.rssMiB < before.rssMiB + 64, 'memory is given back');
}
