// The bench: pop3d beside Dovecot, part by part. Usage: npm run bench -- [--quick] [--busy] [--output FOLDER] [--before FOLDER] [PART...]
// A run of all parts writes its tables and charts to bench/results/; any other one prints, and writes only with --output.

import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startCommand, type Teardown } from '../test/support/programs/run-program.js';
import { LoadGenerator } from './load.js';
import { describeMachine } from './machine.js';
import type { Findings, Part } from './part.js';
import { accountSources } from './parts/accounts.js';
import { cost } from './parts/cost.js';
import { greeting } from './parts/greeting.js';
import { growth } from './parts/growth.js';
import { idleMemory } from './parts/idle-memory.js';
import { opening } from './parts/opening.js';
import { passwords } from './parts/passwords.js';
import { proxy } from './parts/proxy.js';
import { retrieval } from './parts/retrieval.js';
import { sessions } from './parts/sessions.js';
import { formatGoal, formatTable, writeResults, type Outcome } from './report.js';
import { hasDovecot } from './servers.js';
import { Teardowns } from './teardowns.js';

const parts: readonly Part[] = [
  greeting,
  sessions,
  cost,
  proxy,
  passwords,
  accountSources,
  idleMemory,
  growth,
  opening,
  retrieval,
];
const results = fileURLToPath(new URL('../../bench/results', import.meta.url));

interface Request {
  readonly chosen: readonly Part[];
  readonly scale: 'full' | 'quick';
  /** Where tables and charts are written. */
  readonly output: string | undefined;
  readonly before: string | undefined;
  /** Whether something else computes meanwhile, one process for each core. */
  readonly isBusy: boolean;
  /** As the user might have typed it. */
  readonly command: string;
}

/** @throws Error that says what is wrong with the arguments */
function parseRequest(args: readonly string[]): Request {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      quick: { type: 'boolean' },
      busy: { type: 'boolean' },
      output: { type: 'string' },
      before: { type: 'string' },
    },
  });
  const chosen = positionals.map((name) => {
    const part = parts.find((each) => each.name === name);
    if (part !== undefined) return part;
    throw new Error(
      `no part is named ${name}; there are ${parts.map((each) => each.name).join(', ')}`,
    );
  });
  const scale = values.quick === true ? 'quick' : 'full';
  const isBusy = values.busy === true;
  const isWhole = chosen.length === 0 && scale === 'full' && !isBusy;
  return {
    chosen: chosen.length === 0 ? parts : chosen,
    scale,
    output: values.output ?? (isWhole ? results : undefined),
    before: values.before,
    isBusy,
    command: ['npm run bench', ...(args.length === 0 ? [] : ['--', ...args])].join(' '),
  };
}

async function runPart(part: Part, request: Request, load: LoadGenerator): Promise<Findings> {
  const started = performance.now();
  process.stdout.write(`\n# ${part.title} (${part.name})\n\n`);
  const t = new Teardowns();
  running = t;
  if (request.isBusy) keepBusy(t);
  try {
    const findings = await part.run({ load, scale: request.scale, before: request.before, t });
    const seconds = Math.round((performance.now() - started) / 1000);
    process.stdout.write(
      [
        ...findings.tables.map(formatTable),
        `${findings.notes.join('\n')} Took ${seconds} s.\n`,
        findings.goals.map((goal) => `${formatGoal(goal)}\n`).join(''),
      ].join('\n'),
    );
    return findings;
  } finally {
    await t.run();
  }
}

/** Lets something else have its part of all cores, until the teardown. */
function keepBusy(t: Teardown): void {
  for (let core = 0; core < availableParallelism(); core += 1) {
    startCommand(t, process.execPath, ['-e', 'for (;;);']);
  }
}

/** What an interrupt has to undo. */
let running: Teardowns | undefined;

async function run(request: Request): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-load-'));
  const interrupted = new Promise<never>((_resolve, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        reject(new Error(`ended by ${signal}`));
      });
    }
  });
  const outcomes: Outcome[] = [];
  const all = async (): Promise<void> => {
    const load = LoadGenerator.build(folder);
    for (const part of request.chosen) {
      outcomes.push({ part, findings: await runPart(part, request, load) });
    }
  };
  try {
    await Promise.race([all(), interrupted]);
  } finally {
    await running?.run();
    rmSync(folder, { recursive: true, force: true });
  }
  if (request.output === undefined) return;
  const path = writeResults(request.output, describeMachine(), request.command, outcomes);
  process.stdout.write(`\n${path}\n`);
}

/** What keeps a machine from running it, or null. */
function obstacle(): string | null {
  if (process.platform !== 'linux') return 'it reads /proc and needs Linux';
  if (process.geteuid?.() === 0) return null;
  return 'it must be started by root, because servers become the owner of the mail, and Dovecot starts as root only';
}

try {
  const reason = obstacle();
  if (reason !== null) throw new Error(reason);
  if (!hasDovecot) process.stdout.write('Dovecot is not installed: only pop3d is measured.\n');
  await run(parseRequest(process.argv.slice(2)));
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
// An interrupted part still waits for programs that are gone.
process.exit();
