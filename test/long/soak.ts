// Mixed load on one tcpsrun with kept workers for minutes: random sessions with the model, resets and SIGHUPs; and what is
// left of it in the launcher: memory, descriptors, zombies.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runWholeSessions } from '../fuzz/whole-sessions.js';
import { deadline } from '../support/deadline.js';
import type { MailServer } from '../support/mail-server.js';
import type { Teardown } from '../support/run-program.js';

export interface SoakResult {
  readonly sessions: number;
  readonly resets: number;
  readonly reloads: number;
  readonly growthKiB: number;
  readonly failures: readonly string[];
}

const mostGrowthKiB = 48 * 1024;
const disturbanceMs = 250;

/** @param budgetMs half a minute or more: the first fifth warms up */
export async function soak(t: Teardown, seed: number, budgetMs: number): Promise<SoakResult> {
  const mailRoot = mkdtempSync(join(tmpdir(), 'pop3-soak-'));
  const counts = { resets: 0, reloads: 0 };
  let server: MailServer | undefined;
  let timer: NodeJS.Timeout | undefined;
  let before: ReturnType<typeof figuresOf> | undefined;
  const startedMs = performance.now();
  try {
    const result = await runWholeSessions(t, {
      mailRoot,
      seed,
      sessionCount: Number.MAX_SAFE_INTEGER,
      budgetMs,
      onServer: (started) => {
        server = started;
        timer = setInterval(() => {
          const { pid } = started.program;
          if (before === undefined && performance.now() - startedMs > budgetMs / 5) {
            before = figuresOf(pid);
          }
          disturb(started.port);
          counts.resets += 1;
          if (counts.resets % 40 === 0) {
            started.program.kill('SIGHUP');
            counts.reloads += 1;
          }
        }, disturbanceMs);
      },
    });
    clearInterval(timer);
    const failures = [...result.failures];
    if (server === undefined || before === undefined) throw new Error('the soak was too short');
    const after = figuresOf(server.program.pid);
    const growthKiB = after.residentKiB - before.residentKiB;
    if (growthKiB > mostGrowthKiB) failures.push(`tcpsrun grew by ${growthKiB} KiB`);
    // Workers that are being replaced have descriptors too.
    if (after.descriptors > before.descriptors + 8) {
      failures.push(`descriptors: ${before.descriptors}, then ${after.descriptors}`);
    }
    if (after.zombies > 0) failures.push(`${after.zombies} zombies`);
    server.program.kill('SIGTERM');
    const { status } = await deadline(server.program.ending, 20_000, () => 'tcpsrun goes on');
    if (status !== 0) failures.push(`tcpsrun ended with ${String(status)}`);
    return { sessions: result.sessions, ...counts, growthKiB, failures };
  } finally {
    clearInterval(timer);
    rmSync(mailRoot, { recursive: true, force: true });
  }
}

/** Connects, says half a line, and resets. */
function disturb(port: number): void {
  const socket = connect(port, '127.0.0.1', () => {
    socket.write('USE');
    socket.resetAndDestroy();
  });
  socket.on('error', () => undefined);
}

function figuresOf(pid: number): {
  readonly residentKiB: number;
  readonly descriptors: number;
  readonly zombies: number;
} {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim();
  const zombies = children.split(' ').filter((child) => {
    try {
      return / Z /.test(readFileSync(`/proc/${child}/stat`, 'latin1'));
    } catch {
      return false;
    }
  });
  return {
    residentKiB: Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]),
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    zombies: zombies.length,
  };
}
