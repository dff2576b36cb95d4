// Logins that keep coming to a kept worker with an account source, and what of it must hold whatever happens to the source.

import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { makeInbox } from '../mail/maildir-fixture.js';
import { startMailServer } from '../programs/mail-server.js';
import { poll } from '../suite/deadline.js';
import { isHonest, LoginStream } from './login-stream.js';

export interface OutageTerms {
  readonly perSecond: number;
  /** What this process was late itself is added. */
  readonly longestMs: number;
}

const patienceMs = 60_000;
/** Node's heap grows by tens of megabytes before it is swept. */
const mostGrownKib = 128 * 1024;

export interface ServedLogins {
  readonly stream: LoginStream;
  /** Ends the stream, and sees what was answered and what has grown. */
  see(): Promise<void>;
}

export async function serveLogins(
  t: Test,
  source: string,
  { perSecond, longestMs }: OutageTerms,
): Promise<ServedLogins> {
  const mailRoot = mkdtempSync(join(tmpdir(), 'outages-'));
  t.teardown(() => rm(mailRoot, { recursive: true, force: true }));
  makeInbox(mailRoot, 'ann@example.org');
  const { port, program } = await startMailServer(t, mailRoot, {
    env: { PASSDB: source, FAILURE_DELAY: '0' },
    args: ['--workers', '1', '--per-source', '2000', '--concurrency', '2000', '--backlog', '2000'],
  });
  const [, worker = ''] = await program.logLine(/: worker pid=([0-9]+)/);
  const stream = new LoginStream(port, perSecond);
  t.teardown(() => stream.end());
  await stream.decides('before anything happens', 20);
  const atFirst = { descriptors: descriptorsOf(worker), kib: residentKib(worker) };
  return {
    stream,
    async see() {
      await stream.end();
      const { answers, faults, ownDelayMs } = stream;
      t.same(faults, [], 'every login got an answer');
      t.same(
        answers.filter((answer) => !isHonest(answer)),
        [],
        'no answer was untrue',
      );
      const latest = Math.max(...answers.map(({ tookMs }) => tookMs));
      t.ok(
        latest < longestMs + ownDelayMs,
        `of ${answers.length} the latest answer came after ${latest.toFixed(0)} ms`,
      );
      await poll(
        'descriptors as at first',
        () => Promise.resolve(descriptorsOf(worker) <= atFirst.descriptors + 2 ? true : undefined),
        patienceMs,
      );
      const grownKib = residentKib(worker) - atFirst.kib;
      t.ok(grownKib < mostGrownKib, `its memory grew by ${grownKib} KiB`);
    },
  };
}

function descriptorsOf(pid: string): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

function residentKib(pid: string): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]);
}
