// Mixed load on one tcpsrun with kept workers, for as long as it is told: sessions on maildrops that other programs change, a fault
// every few seconds, and a real user who must be served all the while. In the end a ledger says whether all mail is where it
// must be, and the launcher's memory, descriptors and children whether it could go on for ever.

import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { deadline, poll } from '../support/suite/deadline.js';
import { makeInbox } from '../support/mail/maildir-fixture.js';
import { pop3RunFile } from '../support/programs/mail-server.js';
import { makePasswordDatabase } from '../support/accounts/password-database-fixture.js';
import { PipeFixture } from '../support/programs/pipe-fixture.js';
import { builtProgram, startProgram, type Teardown } from '../support/programs/run-program.js';
import { connectWireClient, type WireClient } from '../support/sessions/wire-client.js';
import { ChurnedMaildrop } from './churned-maildrop.js';
import { launcherFigures, slopePerHour, type LauncherFigures } from './launcher-figures.js';
import { RandomSession } from './random-session.js';
import { seededRandom } from './random.js';
import { faultKinds, haveFaults, LogReader } from './soak-faults.js';

export interface SoakOptions {
  readonly seed: number;
  readonly budgetMs: number;
  readonly faultEveryMs: number;
}

export interface SoakResult {
  readonly sessions: number;
  /** Sessions whose connection ended before its time. */
  readonly cut: number;
  /** Deliveries, renames and expunges by other programs. */
  readonly operations: number;
  readonly faults: number;
  readonly logins: number;
  readonly slowestLoginMs: number;
  /** Of the launcher's memory, after the first fifth of the time. */
  readonly growthKiBPerHour: number;
  readonly descriptorsPerHour: number;
  readonly failures: readonly string[];
}

const users = ['u0', 'u1', 'u2', 'u3'].map((user) => `${user}@example.org`);
const realUser = 'bob@example.org';
const password = 'open sesame';
const lanesPerUser = 2;
const sessionsPerSecond = 20;
const realUserPauseMs = 250;
/** A password database that is locked for a second, on a machine with other work. */
const mostLoginMs = 20_000;
const mostGrowthKiB = 48 * 1024;
const samplePauseMs = 500;
export const leastSessions = 60;
export const leastLogins = 6;
const mostBudgets = 10;

/** What all parts of a soak share. */
class Tally {
  sessions = 0;
  cut = 0;
  logins = 0;
  faults = 0;
  slowestLoginMs = 0;
  readonly failures: string[] = [];
  readonly #startedMs = performance.now();
  readonly #budgetMs: number;

  constructor(budgetMs: number) {
    this.#budgetMs = budgetMs;
  }

  /** A machine that is slow has more time for the least of all. */
  readonly isOver = (): boolean => {
    const spentMs = performance.now() - this.#startedMs;
    const isEnough =
      this.sessions >= leastSessions && this.logins >= leastLogins && this.faults >= faultKinds;
    return spentMs >= (isEnough ? this.#budgetMs : this.#budgetMs * mostBudgets);
  };
}

export async function soak(
  t: Teardown,
  { seed, budgetMs, faultEveryMs }: SoakOptions,
): Promise<SoakResult> {
  const mailRoot = mkdtempSync(join(tmpdir(), 'pop3-soak-'));
  t.teardown(async () => {
    await rm(mailRoot, { recursive: true, force: true });
  });
  const passwordDatabase = join(mailRoot, 'passdb.sqlite');
  makePasswordDatabase(
    passwordDatabase,
    Object.fromEntries([...users, realUser].map((user) => [user, password])),
  );
  makeInbox(mailRoot, realUser).add('a: b\n\nx\n');
  const churned = await Promise.all(
    users.map((user, index) =>
      ChurnedMaildrop.start(t, makeInbox(mailRoot, user), { seed: seed + index, budgetMs }),
    ),
  );
  const pipe = new PipeFixture({
    testdir: () => mailRoot,
    teardown: (close) =>
      t.teardown(() => {
        close();
        return Promise.resolve();
      }),
  });
  const program = startProgram(t, 'tcpsrun', ['--workers', '2', '127.0.0.1', '0', pop3RunFile], {
    env: { POP3D: builtProgram('pop3d'), MAILROOT: mailRoot },
    fds: [null, null, pipe.writeFd],
  });
  const [, port = ''] =
    /port=(\d+)/.exec(await pipe.read((text) => /listening.*port=\d+.*\n/.test(text))) ?? [];
  const log = new LogReader(pipe);
  const reading = log.run();
  const tally = new Tally(budgetMs);
  const sessionsSoFar = (): number => tally.sessions;
  const target = { program, port: Number(port), passwordDatabase, log, sessions: sessionsSoFar };

  const sessions = users.flatMap((user, index) =>
    Array.from({ length: lanesPerUser }, (_, lane) =>
      haveSessions(target.port, tally, {
        user,
        maildrop: churned[index],
        random: seededRandom(seed + 100 * lane + index),
      }),
    ),
  );
  const [samples] = await Promise.all([
    watch(program.pid, tally, budgetMs),
    haveFaults({ ...target, random: seededRandom(seed) }, faultEveryMs, tally.isOver, (count) => {
      tally.faults = count;
    }),
    logInAgainAndAgain(target.port, tally),
    ...sessions,
  ]);
  const { failures } = tally;
  const operations = await Promise.all(churned.map((maildrop) => maildrop.finish(failures)));
  const growthKiB = grown(samples, ({ residentKiB }) => residentKiB);
  if (growthKiB > mostGrowthKiB) failures.push(`tcpsrun grew by ${growthKiB} KiB`);
  failures.push(...(await whatIsLeft(program.pid, samples)));
  program.kill('SIGTERM');
  const ending = deadline(program.ending, 20_000, () => 'tcpsrun goes on');
  const end = await ending.then(({ status }) => `tcpsrun ended with ${String(status)}`, String);
  if (end !== 'tcpsrun ended with 0') failures.push(end);
  log.stop();
  await reading;
  const { sessions: sessionCount, cut, faults, logins, slowestLoginMs } = tally;
  return {
    ...{ sessions: sessionCount, cut, faults, logins },
    operations: operations.reduce((sum, count) => sum + count, 0),
    slowestLoginMs: Math.round(slowestLoginMs),
    growthKiBPerHour: Math.round(slopePerHour(samples, ({ residentKiB }) => residentKiB)),
    descriptorsPerHour: Math.round(slopePerHour(samples, ({ descriptors }) => descriptors)),
    failures,
  };
}

interface SessionLane {
  readonly user: string;
  readonly maildrop: ChurnedMaildrop | undefined;
  readonly random: (limit: number) => number;
}

async function haveSessions(
  port: number,
  tally: Tally,
  { user, maildrop, random }: SessionLane,
): Promise<void> {
  if (maildrop === undefined) return;
  const paceMs = (1000 * users.length * lanesPerUser) / sessionsPerSecond;
  while (!tally.isOver()) {
    const nextMs = performance.now() + paceMs;
    tally.sessions += 1;
    await haveSession(port, tally, { user, maildrop, random });
    await delay(Math.max(0, nextMs - performance.now()));
  }
}

async function haveSession(
  port: number,
  tally: Tally,
  { user, maildrop, random }: SessionLane & { readonly maildrop: ChurnedMaildrop },
): Promise<void> {
  let session: RandomSession | undefined;
  let client: WireClient | undefined;
  try {
    client = await connectWireClient(port);
    const counts = { commands: 0, retrieved: 0, removed: 0 };
    session = new RandomSession(client, maildrop.ledger, random, counts);
    await session.run(user, password);
  } catch (error) {
    for (const serial of session?.marked ?? []) maildrop.undecided.add(serial);
    if (isCut(error)) tally.cut += 1;
    else tally.failures.push(`${user}: ${String(error)}`);
  } finally {
    client?.destroy();
  }
}

/** What a killed worker does to a client. */
function isCut(error: unknown): boolean {
  return /the server closed|ECONNRESET|EPIPE/.test(String(error));
}

/** A login counts from its first attempt to its success: whoever is cut off tries again at once. */
async function logInAgainAndAgain(port: number, tally: Tally): Promise<void> {
  while (!tally.isOver()) {
    const startedMs = performance.now();
    while (!(await tryLogin(port, tally)));
    const tookMs = performance.now() - startedMs;
    tally.logins += 1;
    tally.slowestLoginMs = Math.max(tally.slowestLoginMs, tookMs);
    if (tookMs > mostLoginMs) tally.failures.push(`a login took ${tookMs.toFixed(0)} ms`);
    await delay(realUserPauseMs);
  }
}

/** @returns false when it has to be tried again; what is no cut counts as tried */
async function tryLogin(port: number, tally: Tally): Promise<boolean> {
  try {
    const client = await connectWireClient(port);
    await client.login(realUser, password);
    await client.ok('QUIT');
    client.end();
    return true;
  } catch (error) {
    if (isCut(error)) return false;
    tally.failures.push(`${realUser}: ${String(error)}`);
    return true;
  }
}

async function watch(pid: number, tally: Tally, budgetMs: number): Promise<LauncherFigures[]> {
  await delay(budgetMs / 5);
  const samples: LauncherFigures[] = [];
  while (!tally.isOver()) {
    samples.push(launcherFigures(pid));
    await delay(samplePauseMs);
  }
  return samples;
}

function grown(
  samples: readonly LauncherFigures[],
  valueOf: (figures: LauncherFigures) => number,
): number {
  const [first, last] = [samples[0], samples.at(-1)];
  return first === undefined || last === undefined ? 0 : valueOf(last) - valueOf(first);
}

/** Once nobody is connected any more: no zombies, and no descriptors but of what there was in the calmest moment, and of workers. */
async function whatIsLeft(pid: number, samples: readonly LauncherFigures[]): Promise<string[]> {
  const most = Math.min(...samples.map(({ descriptors }) => descriptors)) + 8;
  try {
    await poll('zombies and descriptors to go', () => {
      const { zombies, descriptors } = launcherFigures(pid);
      return Promise.resolve(zombies === 0 && descriptors <= most ? true : undefined);
    });
    return [];
  } catch {
    const { zombies, descriptors } = launcherFigures(pid);
    return [`${zombies} zombies and ${descriptors} descriptors, not ${most}`];
  }
}
