// Whether the time that a failed login takes tells an unknown user, a wrong password and a disabled user apart.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { poll } from '../support/suite/deadline.js';
import { startMailServer } from '../support/programs/mail-server.js';
import { makePasswordDatabase } from '../support/accounts/password-database-fixture.js';
import { builtProgram, type Teardown } from '../support/programs/run-program.js';
import { connectWireClient } from '../support/sessions/wire-client.js';

export interface TimingResult {
  /** Samples of each kind. */
  readonly samples: number;
  /** Welch's t of each pair. */
  readonly t: Readonly<Record<string, number>>;
}

const kinds = ['unknown', 'wrong', 'disabled'] as const;
type Kind = (typeof kinds)[number];

/** The password is right for the disabled user, wrong for the other. */
const password = 'open sesame';
const addresses: Readonly<Record<Kind, string>> = {
  unknown: 'eve@example.org',
  wrong: 'ann@example.org',
  disabled: 'bob@example.org',
};

/** As for passdb's own table; a disabled user is then an unknown one. Rows are not remembered. */
export const ownTableAsQuery =
  "SELECT password FROM users WHERE username = :user AND domain = :domain AND active = 'Y'";

export interface TimedAccounts {
  /** For `--passdb`, without tables as yet; by default a file of SQLite. */
  readonly source?: string;
  /** For `--passdb-query`; without it passdb's own table is read. */
  readonly query?: string;
}

/**
 * With kept workers, which remember rows of a file that nobody writes to.
 *
 * @param random gives whole numbers below its argument
 */
export async function timeFailedLogins(
  t: Teardown,
  options: TimedAccounts & { readonly mostSamples: number; readonly budgetMs: number },
  random: (limit: number) => number,
): Promise<TimingResult> {
  const root = mkdtempSync(join(tmpdir(), 'pop3d-timing-'));
  const texts = new Set<string>();
  const samples: Record<Kind, number[]> = { unknown: [], wrong: [], disabled: [] };
  try {
    const file = join(root, 'passdb.sqlite');
    makePasswordDatabase(file, {});
    const source = options.source ?? file;
    const passdb = (...words: readonly string[]): string[] => [
      builtProgram('passdb'),
      ...['--passdb', source],
      ...words,
    ];
    for (const [kind, given] of [
      ['wrong', 'something else'],
      ['disabled', password],
    ] as const) {
      execFileSync(process.execPath, passdb('add', addresses[kind]), { input: `${given}\n` });
    }
    execFileSync(process.execPath, passdb('disable', addresses.disabled));
    const { port } = await startMailServer(t, root, {
      args: ['--workers', '1'],
      env: {
        FAILURE_DELAY: '0',
        PASSDB: source,
        ...(options.query === undefined ? {} : { PASSDB_QUERY: options.query }),
      },
    });
    // The first samples are to be like the last: the worker is there, and rows are remembered.
    await poll('the database to be left alone', () =>
      Promise.resolve(Date.now() - statSync(file).ctimeMs > 3000 ? true : undefined),
    );
    const untilMs = performance.now() + options.budgetMs;
    for (let count = 0; count < options.mostSamples && performance.now() < untilMs; count += 1) {
      for (const kind of shuffled(random)) {
        const client = await connectWireClient(port);
        await client.status();
        await client.ok(`USER ${addresses[kind]}`);
        const startedNs = process.hrtime.bigint();
        texts.add(await client.command(`PASS ${password}`));
        samples[kind].push(Number(process.hrtime.bigint() - startedNs) / 1e6);
        client.destroy();
      }
    }
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
  if (texts.size !== 1) throw new Error(`texts differ: ${[...texts].join(' / ')}`);
  return {
    samples: samples.unknown.length,
    t: {
      'unknown/wrong': welch(samples.unknown, samples.wrong),
      'unknown/disabled': welch(samples.unknown, samples.disabled),
      'wrong/disabled': welch(samples.wrong, samples.disabled),
    },
  };
}

function shuffled(random: (limit: number) => number): readonly Kind[] {
  const rest: Kind[] = [...kinds];
  return kinds.flatMap(() => rest.splice(random(rest.length), 1));
}

/** Welch's t of two samples, in which the slowest fiftieth, the machine's own, is left out. */
function welch(one: readonly number[], other: readonly number[]): number {
  const [a, b] = [momentsOf(one), momentsOf(other)];
  return (a.mean - b.mean) / Math.sqrt(a.variance / a.count + b.variance / b.count);
}

function momentsOf(samples: readonly number[]): {
  readonly mean: number;
  readonly variance: number;
  readonly count: number;
} {
  const kept = [...samples].sort((a, b) => a - b).slice(0, Math.ceil(samples.length * 0.98));
  const mean = kept.reduce((sum, value) => sum + value, 0) / kept.length;
  const variance = kept.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (kept.length - 1);
  return { mean, variance, count: kept.length };
}
