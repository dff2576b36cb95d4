// pop3d killed with SIGKILL at a random instant around QUIT: nothing is lost that was not marked, and nothing goes without QUIT.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { makeInbox } from '../support/mail/maildir-fixture.js';
import { makePasswordDatabase } from '../support/accounts/password-database-fixture.js';
import { startProgram, type Teardown } from '../support/programs/run-program.js';
import { WireClient } from '../support/sessions/wire-client.js';

const messageCount = 200;
/** UPDATE of so many messages takes about as long. */
const longestMs = 8;

export interface KillOptions {
  readonly runs: number;
  /** Stops sooner when so much time has gone by. */
  readonly budgetMs?: number;
}

export interface KilledUpdates {
  readonly runs: number;
  /** Runs in which some of the marked messages went and some stayed. */
  readonly halfDone: number;
  readonly violations: readonly string[];
}

/** @param random gives whole numbers below its argument */
export async function killUpdates(
  t: Teardown,
  { runs: mostRuns, budgetMs = Number.POSITIVE_INFINITY }: KillOptions,
  random: (limit: number) => number,
): Promise<KilledUpdates> {
  const violations: string[] = [];
  let halfDone = 0;
  const untilMs = performance.now() + budgetMs;
  let runs = 0;
  for (; runs < mostRuns && performance.now() < untilMs; runs += 1) {
    const run = runs;
    // One run in eight never says QUIT.
    const saysQuit = run % 8 !== 7;
    const afterMs = random(longestMs * 100) / 100;
    const { left, wrong } = await killOne(t, saysQuit, afterMs);
    const markedLeft = left.filter((number) => number % 2 === 1).length;
    if (markedLeft > 0 && markedLeft < messageCount / 2) halfDone += 1;
    const keptLeft = left.length - markedLeft;
    const described = `run ${run}, killed ${afterMs} ms after ${saysQuit ? 'QUIT' : 'DELE'}`;
    if (keptLeft !== messageCount / 2) violations.push(`${described}: ${keptLeft} kept messages`);
    if (!saysQuit && markedLeft !== messageCount / 2) violations.push(`${described}: deleted`);
    violations.push(...wrong.map((what) => `${described}: ${what}`));
  }
  return { runs, halfDone, violations };
}

async function killOne(
  t: Teardown,
  saysQuit: boolean,
  afterMs: number,
): Promise<{ readonly left: readonly number[]; readonly wrong: readonly string[] }> {
  const root = mkdtempSync(join(tmpdir(), 'pop3d-killed-'));
  try {
    makePasswordDatabase(join(root, 'passdb.sqlite'), { 'ann@example.org': 'open sesame' });
    const inbox = makeInbox(root, 'ann@example.org');
    for (let number = 1; number <= messageCount; number += 1) inbox.add(contentOf(number));
    const pop3d = startProgram(t, 'pop3d', [], { cwd: root });
    const client = new WireClient(pop3d.stdout, pop3d.stdin);
    await client.login('ann@example.org', 'open sesame');
    const marked = Array.from({ length: messageCount / 2 }, (_, index) => 2 * index + 1);
    client.write(marked.map((number) => `DELE ${number}\r\n`).join(''));
    for (const number of marked) {
      if (!(await client.status()).startsWith('+OK')) throw new Error(`DELE ${number} was refused`);
    }
    if (saysQuit) client.write('QUIT\r\n');
    await delay(afterMs);
    pop3d.kill('SIGKILL');
    await pop3d.ending;
    const contents = inbox.contents().map((content) => content.toString('latin1'));
    const left = contents.map((content) => Number(/^Subject: (\d+)/.exec(content)?.[1]));
    const wrong = contents.filter((content, index) => content !== contentOf(left[index] ?? 0));
    return { left, wrong: wrong.map((content) => `changed: ${content}`) };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

function contentOf(number: number): string {
  return `Subject: ${number}\n\nmessage ${number}\n`;
}
