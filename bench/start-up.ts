// How long a client waits for pop3d's greeting when each connection starts a process, beside `node -e 0`, the least that
// any program on this Node can take. Usage: node build/bench/start-up.js [rounds]

import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cleanEnvironment } from '../test/support/clean-environment.js';
import { builtProgram } from '../test/support/run-program.js';

const rounds = Number(process.argv[2] ?? 41);
const mailRoot = mkdtempSync(join(tmpdir(), 'bench-start-up-'));

/** Milliseconds from exec to the end of an empty program. */
function timeEmptyProgram(): Promise<number> {
  const start = performance.now();
  const child = spawn(process.execPath, ['-e', '0'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: cleanEnvironment(),
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject).once('exit', () => {
      resolve(performance.now() - start);
    });
  });
}

/** Milliseconds from exec to the first byte of the greeting; the session is then ended with QUIT. */
function timeGreeting(): Promise<number> {
  const start = performance.now();
  const child = spawn(process.execPath, [builtProgram('pop3d')], {
    cwd: mailRoot,
    stdio: ['pipe', 'pipe', 'ignore'],
    env: cleanEnvironment(),
  });
  return new Promise((resolve, reject) => {
    let greeted = Number.NaN;
    child.stdout.once('data', () => {
      greeted = performance.now() - start;
      child.stdin.end('QUIT\r\n');
    });
    child.stdout.resume();
    child.once('error', reject).once('exit', (status) => {
      if (status === 0 && !Number.isNaN(greeted)) resolve(greeted);
      else reject(new Error(`pop3d ended with ${String(status)} and without a greeting`));
    });
  });
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

try {
  const inbox = join(mailRoot, 'example.org', 'ann', 'INBOX');
  for (const folder of ['new', 'cur', 'tmp']) mkdirSync(join(inbox, folder), { recursive: true });
  for (let serial = 1; serial <= 10; serial += 1) {
    writeFileSync(join(inbox, 'new', `170000000${serial}.M1P1.bench`), 'Subject: x\n\nbody\n');
  }
  const empty: number[] = [];
  const greeting: number[] = [];
  // In turn, so that whatever else the machine does hits both.
  for (let round = 0; round < rounds; round += 1) {
    empty.push(await timeEmptyProgram());
    greeting.push(await timeGreeting());
  }
  const ratio = median(greeting) / median(empty);
  process.stdout.write(
    `node -e 0      ${median(empty).toFixed(1)} ms\n` +
      `pop3d greeting ${median(greeting).toFixed(1)} ms\n` +
      `ratio          ${ratio.toFixed(2)} (medians of ${rounds} rounds; goal: at most 1.20)\n`,
  );
} finally {
  rmSync(mailRoot, { recursive: true });
}
