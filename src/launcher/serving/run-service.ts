// The launcher as a service: its parts put together, its signals, its end.

import { closeInheritedDescriptors } from '../../system/descriptors/inherited-descriptors.js';
import type { Log } from '../../system/log/log.js';
import { collectOnOneThread } from '../../system/runtime/young-garbage.js';
import { readRunFile } from '../../run-file/read-run-file.js';
import { RunFileError } from '../../run-file/run-file-error.js';
import { decide, type AccessRules } from '../rules/access-rules.js';
import { reservedSlots, trustedLevel } from '../fairness/admission.js';
import { becomeUser, type UserOptions } from '../listening/become-user.js';
import { descriptorBudget, requireDescriptors } from '../listening/descriptor-limit.js';
import { spawnPerConnection, type Service } from '../handing-over/hand-over.js';
import type { Counters } from '../telling/metrics.js';
import { Launcher } from './launcher.js';
import { listen, type Listener } from '../listening/listener.js';
import { formatMetrics } from '../telling/metrics.js';
import { requireMetricsFile, writeMetricsFile } from '../telling/metrics-file.js';
import { readRulesFile, RulesFile } from '../rules/rules-file.js';
import { parsePort } from '../listening/service-name.js';
import { tryPassedSocket } from '../listening/socket-activation.js';
import { WorkerPool } from '../handing-over/worker-pool.js';

export interface ServiceOptions {
  readonly service: Service;
  readonly address: string;
  /** A rules file; undefined: everybody has level 1. */
  readonly rules: string | undefined;
  readonly denied: 'closed' | 'served';
  readonly concurrency: number;
  readonly perSource: number;
  /** Both listen(2)'s backlog and how many connections are held. */
  readonly backlog: number;
  readonly user: UserOptions;
  /** Workers kept started; null: a process is started for each connection. */
  readonly workers: { readonly count: number; readonly sessions: number } | null;
  /** Where counters go for Prometheus; undefined: to the log only. */
  readonly metrics: string | undefined;
  readonly log: Log;
}

/**
 * Listens and serves until SIGTERM or SIGINT, then until the running sessions have ended; a second signal ends the
 * process at once. SIGHUP reads the rules again and replaces workers, SIGUSR1 logs counters and writes
 * them to `metrics`, as the end does.
 *
 * @throws ConfigurationError or TemporaryError when it cannot start
 */
export async function runService(options: ServiceOptions): Promise<void> {
  const { service, rules: rulesFile, log, concurrency } = options;
  const fd = tryPassedSocket(process.env, process.pid) ?? undefined;
  closeInheritedDescriptors(fd === undefined ? [] : [fd]);
  requireDescriptors(options.workers?.count ?? 0);
  if (options.metrics !== undefined) requireMetricsFile(options.metrics);

  const rules =
    rulesFile === undefined
      ? null
      : new RulesFile(
          rulesFile,
          (reread) => {
            log.write('rules', { file: rulesFile });
            warnOfEmptyRules(reread, rulesFile, log);
            reserve();
          },
          (why) => log.write('warning', { why, kept: 'the last good rules' }),
        );
  const perConnection = spawnPerConnection(service);
  let pool: WorkerPool | null = null;
  const launcher: Launcher = new Launcher({
    log,
    handOver: {
      get isCostly() {
        return (pool ?? perConnection).isCostly;
      },
      serve: (connection) => (pool ?? perConnection).serve(connection),
    },
    judge: (address) => {
      const { level, rule } = decide(rules?.current() ?? null, address);
      return { level, line: rule?.line };
    },
    limits: {
      concurrency,
      perSource: options.perSource,
      held: heldLimit(options.backlog, () => launcher.counters.held),
    },
    denied: options.denied,
  });
  const reserve = (): void => {
    // Slots that nobody can be trusted enough for would only be lost.
    const isTrustPossible = (rules?.current().highestLevel ?? 0) >= trustedLevel;
    launcher.reserve(isTrustPossible ? reservedSlots(concurrency) : 0);
  };

  const listener = await listen(
    {
      address: options.address,
      port: fd === undefined ? parsePort(service.port) : 0,
      backlog: options.backlog,
      fd,
    },
    (socket) => launcher.accept(socket),
    (error) => log.write('error', { where: 'accept', why: error.message }),
  );
  try {
    // Nothing may come between listening and this: connections are accepted when the event loop turns.
    becomeUser(options.user);
    if (rulesFile !== undefined) readRulesFile(rulesFile);
  } catch (error) {
    listener.close();
    throw error;
  }
  reserve();
  // Whoever reads that it listens may send signals.
  process.on('SIGHUP', () => {
    rules?.reread();
    pool?.replace('SIGHUP');
  });
  const count = counting(options, listener, () => launcher.counters);
  process.on('SIGUSR1', () => count('counters'));
  collectOnOneThread();
  const told = untilToldToStop();
  log.write('listening', { address: listener.address, port: listener.port });
  warnOfRunFile(service.runFile, log);
  if (rulesFile !== undefined && rules !== null) warnOfEmptyRules(rules.current(), rulesFile, log);
  // After becoming the user: workers are what tcpsrun is.
  if (options.workers !== null) {
    pool = new WorkerPool({
      service,
      log,
      workerCount: options.workers.count,
      sessionsPerWorker: options.workers.sessions,
      otherwise: perConnection,
    });
  }

  await told;
  listener.close();
  log.write('stopping', { ...launcher.counters });
  await launcher.stop();
  pool?.close();
  count('stopped');
}

/** @returns what logs the counters as an event, and writes them for Prometheus */
function counting(
  { metrics, log }: ServiceOptions,
  { address, port }: Listener,
  counters: () => Counters,
): (event: string) => void {
  const startedSeconds = Math.round(Date.now() / 1000);
  return (event) => {
    if (metrics !== undefined) {
      writeMetricsFile(metrics, formatMetrics(counters(), { address, port, startedSeconds }), log);
    }
    // After the file: whoever waits for the line finds it.
    log.write(event, { ...counters() });
  };
}

const budgetAgeMs = 1000;

/** The backlog, or fewer when the limit of open files, which may change at any time, leaves less. */
function heldLimit(backlog: number, heldNow: () => number): () => number {
  let limit = 0;
  let checkedMs = -Infinity;
  return () => {
    if (performance.now() - checkedMs > budgetAgeMs) {
      limit = Math.min(backlog, heldNow() + descriptorBudget());
      checkedMs = performance.now();
    }
    return limit;
  };
}

/** What a full disk or an editor at work leaves is more often a mistake than a way to deny everybody. */
function warnOfEmptyRules(rules: AccessRules, file: string, log: Log): void {
  if (rules.isEmpty) log.write('warning', { why: `${file}: has no rules: everybody is denied` });
}

/** It costs connections, not the service; but an administrator wants to know before the first one. */
function warnOfRunFile(file: string, log: Log): void {
  try {
    readRunFile(file);
  } catch (error) {
    if (!(error instanceof RunFileError)) throw error;
    log.write('warning', { why: error.message });
  }
}

/** Resolves at the first SIGTERM or SIGINT; the next one then ends the process, whatever runs. */
async function untilToldToStop(): Promise<void> {
  await new Promise<void>((resolve) => {
    let isTold = false;
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        if (isTold) process.exit(0);
        isTold = true;
        resolve();
      });
    }
  });
}
