// Kept workers killed with SIGKILL while they serve: what was not marked stays, what was marked goes after QUIT only, and a +OK to
// QUIT means that all of it is gone. Nobody hangs.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { deadline } from '../support/suite/deadline.js';
import { makeInbox, type MaildirFixture } from '../support/mail/maildir-fixture.js';
import { startMailServer } from '../support/programs/mail-server.js';
import { makePasswordDatabase } from '../support/accounts/password-database-fixture.js';
import type { Teardown } from '../support/programs/run-program.js';
import { connectWireClient } from '../support/sessions/wire-client.js';

/** One session at a time for each. */
const userCount = 8;
const keptCount = 20;
const markedCount = 20;
const longestPauseMs = 150;
const sessionDeadlineMs = 20_000;

export interface WorkerKillOptions {
  readonly kills: number;
  /** Stops sooner when so much time has gone by. */
  readonly budgetMs?: number;
}

export interface KilledWorkers {
  readonly kills: number;
  readonly sessions: number;
  /** Sessions whose connection ended before its time. */
  readonly cut: number;
  /** Of these, the ones that left some of the marked messages and not others. */
  readonly halfDone: number;
  readonly violations: readonly string[];
}

type Random = (limit: number) => number;

/** How a session went: `unasked` never said QUIT, `unanswered` got no reply to it. */
type Outcome = 'done' | 'unanswered' | 'unasked';

interface Totals {
  sessions: number;
  cut: number;
  halfDone: number;
}

/** @param random gives whole numbers below its argument */
export async function killWorkers(
  t: Teardown,
  { kills: mostKills, budgetMs = Number.POSITIVE_INFINITY }: WorkerKillOptions,
  random: Random,
): Promise<KilledWorkers> {
  const root = mkdtempSync(join(tmpdir(), 'pop3d-workers-'));
  const totals: Totals = { sessions: 0, cut: 0, halfDone: 0 };
  const violations: string[] = [];
  let kills = 0;
  let isOver = false;
  try {
    const users = Array.from({ length: userCount }, (_, index) => `user${index}@example.org`);
    makePasswordDatabase(
      join(root, 'passdb.sqlite'),
      Object.fromEntries(users.map((user) => [user, password])),
    );
    const { port, program } = await startMailServer(t, root, { args: ['--workers', '2'] });
    const lanes = users.map(async (user) => {
      const ledger = new Ledger(makeInbox(root, user));
      while (!isOver) {
        const wrong = await checkedSession(port, user, { ledger, random, totals });
        violations.push(...wrong.map((what) => `${user}, session ${totals.sessions}: ${what}`));
      }
    });
    const untilMs = performance.now() + budgetMs;
    while (kills < mostKills && performance.now() < untilMs) {
      await delay(random(longestPauseMs));
      if (killOne(program.pid, random)) kills += 1;
    }
    isOver = true;
    await Promise.all(lanes);
    program.kill('SIGTERM');
    const { status } = await deadline(program.ending, sessionDeadlineMs, () => 'tcpsrun goes on');
    if (status !== 0) violations.push(`tcpsrun ended with ${String(status)}`);
    return { kills, ...totals, violations };
  } finally {
    isOver = true;
    rmSync(root, { recursive: true, force: true });
  }
}

const password = 'open sesame';

/** What a maildrop must hold, by contents. */
class Ledger {
  readonly #inbox: MaildirFixture;
  readonly #kept: string[];
  #delivered = 0;

  constructor(inbox: MaildirFixture) {
    this.#inbox = inbox;
    this.#kept = Array.from({ length: keptCount }, () => this.#deliver('kept'));
  }

  /** Delivers what is missing of the messages that sessions mark. */
  refill(): void {
    for (let count = this.#marked().length; count < markedCount; count += 1)
      this.#deliver('marked');
  }

  /** What is wrong after a session. @param before the marked messages before it */
  check(
    before: number,
    outcome: Outcome,
  ): { readonly wrong: string[]; readonly isHalfDone: boolean } {
    const left = this.#marked().length;
    const wrong: string[] = [];
    const here = new Set(this.#contents());
    const lost = this.#kept.filter((content) => !here.has(content));
    if (lost.length > 0) wrong.push(`${lost.length} messages that nobody marked are gone`);
    if (outcome === 'done' && left > 0) wrong.push(`+OK, and ${left} marked messages are there`);
    if (outcome === 'unasked' && left < before) wrong.push(`${before - left} gone without QUIT`);
    return { wrong, isHalfDone: left > 0 && left < before };
  }

  #marked(): string[] {
    return this.#contents().filter((content) => content.startsWith('Subject: marked'));
  }

  #contents(): string[] {
    return this.#inbox.contents().map((content) => content.toString('latin1'));
  }

  #deliver(kind: 'kept' | 'marked'): string {
    this.#delivered += 1;
    const content = `Subject: ${kind} ${this.#delivered}\n\nx\n`;
    this.#inbox.add(content);
    return content;
  }
}

async function checkedSession(
  port: number,
  user: string,
  { ledger, random, totals }: { ledger: Ledger; random: Random; totals: Totals },
): Promise<readonly string[]> {
  ledger.refill();
  totals.sessions += 1;
  // One in four leaves without QUIT.
  const saysQuit = random(4) > 0;
  let outcome: Outcome = 'unasked';
  try {
    await deadline(
      converse(port, user, saysQuit, (reached) => (outcome = reached)),
      sessionDeadlineMs,
      () => 'no end',
    );
  } catch (error) {
    if (String(error).includes('no end')) return ['a session hung'];
    totals.cut += 1;
  }
  // Of a killed worker the last call may still be going on.
  await delay(5);
  const { wrong, isHalfDone } = ledger.check(markedCount, outcome);
  if (isHalfDone) totals.halfDone += 1;
  return wrong;
}

/** Marks what is to be marked. Rejects when the connection ends. @param reach told of how far it came */
async function converse(
  port: number,
  user: string,
  saysQuit: boolean,
  reach: (outcome: Outcome) => void,
): Promise<void> {
  const client = await connectWireClient(port);
  try {
    await client.login(user, password);
    const sizes = await client.listing('LIST');
    for (const line of sizes) {
      const number = line.split(' ')[0] ?? '';
      const content = (await client.message(`RETR ${number}`)).toString('latin1');
      if (content.startsWith('Subject: marked')) await client.ok(`DELE ${number}`);
    }
    if (!saysQuit) return;
    reach('unanswered');
    await client.ok('QUIT');
    reach('done');
  } finally {
    client.destroy();
  }
}

/** Kills one of the launcher's children. @returns false when there was none */
export function killOne(launcher: number, random: Random): boolean {
  const children = readFileSync(`/proc/${launcher}/task/${launcher}/children`, 'latin1')
    .split(' ')
    .filter((pid) => pid !== '')
    .map(Number);
  const pid = children[random(children.length)];
  if (pid === undefined) return false;
  try {
    process.kill(pid, 'SIGKILL');
    return true;
  } catch {
    return false;
  }
}
