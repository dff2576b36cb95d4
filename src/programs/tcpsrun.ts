#!/usr/bin/env node
// tcpsrun: accepts connections on addresses and ports and starts a program for each. tcpsrun(8).

import '../system/program/refuse-debugger.js';
import { withoutConnectionVariables } from '../launcher/handing-over/connection-facts.js';
import { NetworkError } from '../launcher/rules/network.js';
import { NetworkList } from '../launcher/rules/network-list.js';
import type { ListenerSettings } from '../launcher/serving/listeners.js';
import { runLauncher } from '../launcher/serving/run-launcher.js';
import { inheritedEnvironment } from '../run-file/inherited-environment.js';
import { exitCode } from '../system/failures/exit-code.js';
import { openLog } from '../system/log/log.js';
import { logOptionsFrom, logOptionTable } from '../system/program/log-options.js';
import { UsageError } from '../system/failures/failures.js';
import { runProgram } from '../system/program/program.js';

const defaults = { concurrency: 40, concurrencyWithWorkers: 1000, backlog: 128 };

void runProgram(
  {
    name: 'tcpsrun',
    synopsis: '[options] address port runfile [address port runfile]...',
    purpose: 'Accepts connections and starts the program that the run file describes for each.',
    options: {
      rules: {
        kind: 'text',
        value: 'FILE',
        help: 'access rules; without them everybody has level 1',
      },
      'spawn-denied': {
        kind: 'flag',
        help: 'start the program for clients of level 0 too (default: close)',
      },
      concurrency: {
        kind: 'number',
        value: 'N',
        min: 1,
        max: 1_000_000,
        help: `connections served at a time (${defaults.concurrency}; ${defaults.concurrencyWithWorkers} with workers)`,
      },
      'per-source': {
        kind: 'number',
        value: 'N',
        min: 1,
        max: 1_000_000,
        help: 'of them, of one IPv4 address or IPv6 /64, below level 2 (no limit of its own)',
      },
      backlog: {
        kind: 'number',
        value: 'N',
        min: 1,
        max: 65_535,
        help: `connections held when no more can be served (${defaults.backlog})`,
      },
      user: { kind: 'text', value: 'USER', help: 'become this user after binding' },
      group: { kind: 'text', value: 'GROUP', help: "and this group instead of the user's" },
      workers: {
        kind: 'number',
        value: 'N',
        min: 0,
        max: 1024,
        help: 'keep N programs started and hand connections to them (0: one for each)',
      },
      'worker-sessions': {
        kind: 'number',
        value: 'M',
        min: 0,
        max: 1_000_000_000,
        help: 'replace a worker after M sessions (0: never)',
      },
      'proxy-from': {
        kind: 'text',
        value: 'NETWORKS',
        help: 'connections from there begin with a PROXY header, which names the client',
      },
      metrics: {
        kind: 'text',
        value: 'FILE',
        help: "at SIGUSR1 and at the end, write counters here for Prometheus' textfile collector",
      },
      control: {
        kind: 'text',
        value: 'SOCKET',
        help: 'listen here for pop3ctl, which shows and ends sessions',
      },
      explain: {
        kind: 'text',
        value: 'ADDRESS',
        help: 'print what would happen to a client with this address, and exit',
      },
      ...logOptionTable,
    },
    positionals: [3, Infinity],
  },
  async ({ options, positionals }) => {
    const listeners = listenersFrom(positionals);
    const proxies = proxiesFrom(options['proxy-from']);
    const denied = options['spawn-denied'] === true ? 'served' : 'closed';
    if (options.explain !== undefined) {
      const { explain } = await import('../launcher/telling/explain.js');
      const { rules, explain: client } = options;
      process.stdout.write(explain({ listeners, proxies, rules, denied, client }));
      return exitCode.ok;
    }
    const workerCount = options.workers ?? 0;
    const concurrency =
      options.concurrency ??
      (workerCount > 0 ? defaults.concurrencyWithWorkers : defaults.concurrency);
    const log = await openLog({
      ...logOptionsFrom('tcpsrun', options),
      gathersLines: workerCount > 0,
    });
    await runLauncher({
      listeners,
      proxies,
      rules: options.rules,
      denied,
      concurrency,
      perSource: options['per-source'] ?? Infinity,
      backlog: options.backlog ?? defaults.backlog,
      workers:
        workerCount > 0
          ? { workerCount, sessionsPerWorker: options['worker-sessions'] ?? 0 }
          : null,
      user: { user: options.user, group: options.group },
      control: options.control,
      metrics: options.metrics,
      log,
    }).finally(() => log.flush(1000));
    return exitCode.ok;
  },
);

/** @throws UsageError */
function listenersFrom(positionals: readonly string[]): readonly ListenerSettings[] {
  if (positionals.length % 3 !== 0) {
    throw new UsageError(
      `each listener needs address, port and run file, and there are ${positionals.length} arguments`,
    );
  }
  const inherited = withoutConnectionVariables(inheritedEnvironment(process.env));
  const directory = process.cwd();
  return Array.from({ length: positionals.length / 3 }, (_, index) => {
    const [address = '', port = '', runFile = ''] = positionals.slice(3 * index);
    return { address, service: { runFile, port, inherited, directory } };
  });
}

/** @throws UsageError */
function proxiesFrom(text: string | undefined): NetworkList {
  try {
    const proxies = NetworkList.parse(text ?? '');
    if (text !== undefined && proxies.isEmpty) throw new NetworkError('no network is given');
    return proxies;
  } catch (error) {
    if (!(error instanceof NetworkError)) throw error;
    throw new UsageError(`option --proxy-from: ${error.message}`);
  }
}
