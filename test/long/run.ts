// All long tests, one after the other, within a budget of minutes. Run as: run [MINUTES [SEED [PART...]]], for some parts within their
// shares of the budget; LONG_MINUTES and FUZZ_SEED stand in for the first two. Prints a line of figures for each part and exits 1 when one of them failed.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { killUpdates } from '../faults/killed-update.js';
import { killWorkers } from '../faults/killed-workers.js';
import { runWholeSessions } from '../fuzz/whole-sessions.js';
import type { Storage } from '../support/cluster/cluster.js';
import { tryCluster, unlessCluster } from '../support/cluster/room.js';
import { startMariadb } from '../support/peers/mariadb.js';
import { startPostgresql } from '../support/peers/postgresql.js';
import { builtProgram } from '../support/programs/run-program.js';
import { seededRandom } from '../torture/random.js';
import { soak } from '../torture/soak.js';
import { ownTableAsQuery, timeFailedLogins, type TimedAccounts } from './timing.js';

const minutes = Number(process.argv[2] ?? process.env['LONG_MINUTES'] ?? 120);
const seed = Number(process.argv[3] ?? process.env['FUZZ_SEED'] ?? Date.now() & 0xffffff);

const wholeSuite = [
  'unit',
  'session',
  'programs',
  'interop',
  'torture',
  'regression',
  'fuzz',
  'faults',
].map((folder) => join('build/test', folder));

const handlers: (() => Promise<void>)[] = [];
const t = { teardown: (handler: () => Promise<void>) => handlers.push(handler) };

interface Part {
  readonly name: string;
  /** Of the budget, in hundredths. */
  readonly share: number;
  readonly run: (budgetMs: number) => Promise<Outcome>;
}

interface Outcome {
  readonly figures: string;
  readonly failures: readonly string[];
}

const parts: readonly Part[] = [
  {
    name: 'fuzz',
    share: 12,
    run: (ms) => runChild('test/fuzz/main.js', seed, 10_000_000, ms / 1000),
  },
  {
    name: 'fuzz replies',
    share: 6,
    run: (ms) => runChild('test/fuzz/replies-main.js', seed, 100_000_000, 10_000_000, ms / 1000),
  },
  {
    name: 'fuzz proxy headers',
    share: 3,
    run: (ms) => runChild('test/fuzz/proxy-main.js', seed, 1_000_000, ms / 1000),
  },
  { name: 'whole-sessions', share: 7, run: wholeSessions },
  { name: 'faults pop3d', share: 15, run: (ms) => sweepOf('pop3d', ms) },
  {
    name: 'faults pop3d-shared-mail',
    share: 8,
    run: (ms) => sweepOf('pop3d-shared-mail', ms),
  },
  { name: 'faults pop3get', share: 8, run: (ms) => sweepOf('pop3get', ms) },
  {
    name: 'faults pop3get-odd-server',
    share: 4,
    run: (ms) => sweepOf('pop3get-odd-server', ms),
  },
  { name: 'faults tcpsrun', share: 5, run: (ms) => sweepOf('tcpsrun', ms) },
  { name: 'killed-update', share: 8, run: killedUpdate },
  { name: 'killed-workers', share: 4, run: killedWorkers },
  {
    name: 'pop3get-killed',
    share: 8,
    run: (ms) => runChild('test/long/pop3get-killed.js', seed, ms / 1000),
  },
  // To their ends, whatever the budget is.
  ...(
    [
      ['Gmail', 'programs/pop3get-gmail-killed', 300],
      ['a command', 'programs/pop3get-deliver', 300],
      ['LMTP', 'interop/pop3get-lmtp', 300],
    ] as const
  ).map(([receiver, test, kills]) => ({
    name: `pop3get-killed into ${receiver}`,
    share: 0,
    run: () => killedInto(test, kills),
  })),
  {
    name: 'switching from other clients',
    // To its end, whatever the budget is.
    share: 0,
    run: async () => {
      const test = 'test/interop/pop3get-import.test.js';
      const { failures } = await runTest({ KEPT_MESSAGES: '1000' }, test);
      return { figures: 'kept-messages=1000', failures };
    },
  },
  {
    name: 'consent in chromium',
    share: 0,
    run: () => runChild('test/long/consent-in-chromium.js'),
  },
  { name: 'timing', share: 2, run: (ms) => timing(ms) },
  {
    name: 'timing of a query',
    share: 2,
    run: (ms) => timing(ms, { query: ownTableAsQuery }),
  },
  {
    name: 'timing of PostgreSQL',
    share: 2,
    run: async (ms) => timing(ms, { source: (await startPostgresql(t)).uri }),
  },
  {
    name: 'timing of MariaDB',
    share: 2,
    run: async (ms) => timing(ms, { source: (await startMariadb(t)).uri }),
  },
  {
    name: 'database outages',
    // To its end, whatever the budget is.
    share: 0,
    run: () => runChild('test/long/database-outages.js'),
  },
  // To its end, whatever the budget is.
  { name: 'cluster outages', share: 0, run: () => clusterOutages('GlusterFS') },
  { name: 'cluster outages on CephFS', share: 0, run: () => clusterOutages('CephFS') },
  { name: 'soak', share: 8, run: soaked },
  { name: 'attacks', share: 4, run: attacks },
  ...['22', '24', '26'].map((version) => ({
    name: `Node ${version}`,
    // To its end, whatever the budget is.
    share: 0,
    run: () => runChild('test/support/suite/other-nodes.js', version, '--', ...wholeSuite),
  })),
];

async function wholeSessions(budgetMs: number): Promise<Outcome> {
  const mailRoot = mkdtempSync(join(tmpdir(), 'pop3-whole-'));
  try {
    const options = { seed, sessionCount: 5000, budgetMs, mailRoot };
    const { sessions, removed, failures } = await runWholeSessions(t, options);
    return { figures: `sessions=${sessions} removed=${removed}`, failures };
  } finally {
    rmSync(mailRoot, { recursive: true, force: true });
  }
}

function sweepOf(subject: string, budgetMs: number): Promise<Outcome> {
  return runChild(
    'test/faults/main.js',
    subject,
    seed,
    Math.round(budgetMs / 1000),
    'all',
    500,
    'all',
  );
}

async function killedUpdate(budgetMs: number): Promise<Outcome> {
  const result = await killUpdates(t, { runs: 500, budgetMs }, seededRandom(seed));
  return {
    figures: `runs=${result.runs} half-done=${result.halfDone}`,
    failures: result.violations,
  };
}

async function killedWorkers(budgetMs: number): Promise<Outcome> {
  const result = await killWorkers(t, { kills: 500, budgetMs }, seededRandom(seed));
  const { violations, ...figures } = result;
  const text = Object.entries(figures).map(([name, value]) => `${name}=${value}`);
  return { figures: text.join(' '), failures: violations };
}

async function timing(budgetMs: number, accounts: TimedAccounts = {}): Promise<Outcome> {
  const options = { mostSamples: 1000, budgetMs, ...accounts };
  const result = await timeFailedLogins(t, options, seededRandom(seed));
  const values = Object.entries(result.t);
  return {
    figures: `samples=${result.samples} ${values.map(([pair, value]) => `${pair}=${value.toFixed(2)}`).join(' ')}`,
    failures: values
      .filter(([, value]) => !(Math.abs(value) < 4.5))
      .map(([pair, value]) => `${pair}: t=${value}`),
  };
}

async function soaked(budgetMs: number): Promise<Outcome> {
  const { failures, ...figures } = await soak(t, { seed, budgetMs, faultEveryMs: 10_000 });
  const text = Object.entries(figures).map(([name, value]) => `${name}=${value}`);
  return { figures: text.join(' '), failures };
}

/** With the contract's times, and a thousand messages or more. */
async function clusterOutages(storage: Storage): Promise<Outcome> {
  const missing = unlessCluster(storage);
  if (missing !== false) return { figures: `skipped: ${missing}`, failures: [] };
  // With CephFS the monitors, the OSDs and the metadata server are given up one after the other.
  const storageMs = storage === 'CephFS' ? 15_000 : 10_000;
  const terms = { frontMs: 3000, storageMs, databaseMs: 5000, visibleMs: 2000 };
  // Two rounds of it: in the second one the node cut off has CephFS's active metadata server.
  const leastDelivered = storage === 'CephFS' ? 1500 : 1000;
  const options = { storage, terms, leastDelivered, seed };
  const { figures, failures } = await tryCluster(t, options, 3_600_000);
  return { figures: figures.join('; '), failures };
}

/** Under the promise that is made for a machine with nothing else to do. */
async function attacks(budgetMs: number): Promise<Outcome> {
  // Seven of them, each with some seconds before and after.
  const seconds = Math.max(4, Math.floor(budgetMs / 1000 / 7 - 10));
  const { failures, output } = await runTest(
    { ATTACK_SECONDS: String(seconds), ATTACK_LOGIN_MS: '1000' },
    'test/torture/attacks.test.js',
  );
  const slowest = [...output.matchAll(/the slowest in (\d+) ms/g)].map(([, ms]) => ms);
  return { figures: `attack-seconds=${seconds} slowest-logins-ms=${slowest.join()}`, failures };
}

async function killedInto(test: string, kills: number): Promise<Outcome> {
  const environment = { POP3GET_KILLS: String(kills), FUZZ_SEED: String(seed) };
  const { failures } = await runTest(environment, `test/${test}.test.js`);
  return { figures: `kills=${kills}`, failures };
}

/** What a part says of its failures is cut to so many last lines. */
const mostLines = 30;

/** Runs a built test program to its end; its first line has the figures. */
function runChild(script: string, ...args: readonly (string | number)[]): Promise<Outcome> {
  return runTest({}, script, ...args);
}

function runTest(
  environment: Readonly<Record<string, string>>,
  script: string,
  ...args: readonly (string | number)[]
): Promise<Outcome & { readonly output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [builtProgram(script), ...args.map(String)], {
      // The caller's too: where programs and npm's certificates are.
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.once('error', reject);
    child.once('close', (status) => {
      const [figures = '', ...rest] = output.trimEnd().split('\n');
      resolve({
        figures,
        output,
        failures: status === 0 ? [] : [`exit ${String(status)}`, ...rest.slice(-mostLines)],
      });
    });
  });
}

const chosen = process.argv.slice(4);
const unknown = chosen.find((name) => !parts.some((part) => part.name === name));
if (unknown !== undefined) throw new Error(`no part "${unknown}"`);
let hasFailed = false;
for (const { name, share, run } of parts) {
  if (chosen.length > 0 && !chosen.includes(name)) continue;
  const startedMs = performance.now();
  let outcome: Outcome;
  try {
    outcome = await run((minutes * 60_000 * share) / 100);
  } catch (error) {
    outcome = { figures: '', failures: [String(error)] };
  }
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(0);
  const isFine = outcome.failures.length === 0;
  console.log(
    `${isFine ? 'ok' : 'FAILED'} ${name}: ${outcome.figures} seconds=${seconds} seed=${seed}`,
  );
  for (const failure of outcome.failures) console.log(`  ${failure}`);
  if (!isFine) hasFailed = true;
}
for (const handler of handlers) await handler();
process.exitCode = hasFailed ? 1 : 0;
