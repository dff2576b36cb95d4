// How long a client waits for the greeting: on a connection to each server, one at a time; and of pop3d alone, from exec,
// beside an empty program, the least that anything on this Node can take.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cleanEnvironment } from '../../test/support/programs/clean-environment.js';
import { builtProgram } from '../../test/support/programs/run-program.js';
import { password } from '../load.js';
import { Mailstore } from '../mailstore.js';
import { formatNumber, type Bench, type Findings, type Part } from '../part.js';
import { processorMsOfEnded } from '../processor-time.js';
import { inRounds, median } from '../rounds.js';
import { available, serverNames, serverTitles, startServers } from '../servers.js';

const sizes = {
  full: { rounds: 3, sessions: 200, seconds: 3, starts: 31 },
  quick: { rounds: 1, sessions: 10, seconds: 0.5, starts: 3 },
} as const;

async function run({ load, scale, before, t }: Bench): Promise<Findings> {
  const { rounds, sessions, seconds, starts } = sizes[scale];
  const store = new Mailstore(t);
  const user = store.addUser('ann', { messages: 10, octets: 4000 });
  const servers = await startServers(t, available(...serverNames), await store.site());
  const figures = await inRounds(rounds, servers, async ({ port }) =>
    load.run(t, { port, user, commands: ['STAT'], sessions, seconds }),
  );
  const rows = [...figures].map(([{ name }, measured]) => ({
    server: name,
    p50: median(measured.map(({ greeting }) => greeting.p50)),
    p99: median(measured.map(({ greeting }) => greeting.p99)),
  }));

  const programs = { empty: timeEmptyProgram, pop3d: () => timePop3d(store.mailRoot) } as const;
  const times = await inRounds(starts, ['empty', 'pop3d'] as const, (name) => programs[name]());
  const [empty, pop3d] = [median(times.get('empty') ?? []), median(times.get('pop3d') ?? [])];
  const script = [`USER ${user}`, `PASS ${password}`, 'STAT', 'LIST', 'UIDL', 'QUIT', ''].join(
    '\r\n',
  );
  const whole = new Map<string, readonly string[]>([
    ['node -e 0', ['-e', '0']],
    ['pop3d, a session', [builtProgram('pop3d')]],
    ...(before === undefined
      ? []
      : [[`pop3d, a session, ${before}`, [builtProgram('pop3d', before)]] as const]),
  ]);
  const costs = await inRounds(starts, [...whole.keys()], (name) =>
    costOf(whole.get(name) ?? [], store.mailRoot, script),
  );

  return {
    tables: [
      {
        title: 'From connecting to the greeting',
        columns: ['server', 'p50, ms', 'p99, ms'],
        rows: rows.map(({ server, p50, p99 }) => [
          serverTitles[server],
          formatNumber(p50),
          formatNumber(p99),
        ]),
      },
      {
        title: 'From exec, over pipes',
        columns: ['program', 'ms'],
        rows: [
          ['node -e 0, to its end', formatNumber(empty)],
          ['pop3d, to its greeting', formatNumber(pop3d)],
        ],
      },
      {
        title: 'Login, STAT, LIST, UIDL, QUIT on 10 messages in a process of its own, over pipes',
        columns: ['program', 'processor time, ms'],
        rows: [...costs].map(([name, each]) => [name, formatNumber(mean(each))]),
      },
    ],
    goals: [
      {
        what: 'pop3d’s greeting from exec, beside an empty program',
        figure: `${(pop3d / empty).toFixed(2)} times`,
        goal: 'at most 1.20 times',
        isMet: pop3d / empty <= 1.2,
      },
    ],
    charts: [
      {
        kind: 'bars',
        file: 'greeting',
        title: 'From connecting to the greeting, one connection at a time',
        x: 'median and 99th percentile',
        y: 'milliseconds',
        groups: ['p50', 'p99'],
        series: rows.map(({ server, p50, p99 }) => ({ server, values: [p50, p99] })),
      },
    ],
    notes: [
      `Medians of ${rounds} rounds of up to ${sessions} sessions or ${seconds} s, one at a time; of ${starts} starts from exec.`,
    ],
  };
}

/** Milliseconds from exec to its end. */
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

/** Milliseconds of processor time; in steps of ten, so that only a mean of many says something. */
async function costOf(args: readonly string[], folder: string, input: string): Promise<number> {
  const startMs = processorMsOfEnded();
  const child = spawn(process.execPath, args, {
    cwd: folder,
    stdio: ['pipe', 'pipe', 'ignore'],
    env: cleanEnvironment(),
  });
  child.stdout.resume();
  // An empty program does not read it.
  child.stdin.on('error', () => undefined).end(input);
  const [status] = (await once(child, 'exit')) as [number | null];
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${String(status)}`);
  return processorMsOfEnded() - startMs;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Milliseconds from exec to the first octet of the greeting; the session is then ended with QUIT. */
function timePop3d(mailRoot: string): Promise<number> {
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

export const greeting: Part = { name: 'greeting', title: 'The greeting', run };
