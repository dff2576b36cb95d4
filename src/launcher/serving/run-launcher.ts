// tcpsrun from start to end: it listens, becomes its user, and serves until it is told to stop.

import { realpathSync } from 'node:fs';
import { basename } from 'node:path';
import { closeInheritedDescriptors } from '../../system/descriptors/inherited-descriptors.js';
import type { Log } from '../../system/log/log.js';
import { whyNoSqlite } from '../../system/sqlite/open-sqlite.js';
import { collectOnOneThread } from '../../system/runtime/young-garbage.js';
import { runFileUses } from '../../run-file/evaluate-run-file.js';
import { findProgram } from '../../run-file/find-program.js';
import { readRunFile } from '../../run-file/read-run-file.js';
import { RunFileError } from '../../run-file/run-file-error.js';
import { reservedSlots, trustedLevel } from '../fairness/trusted-level.js';
import {
  ucspiVariables,
  unknownConnection,
  unratedClient,
} from '../handing-over/connection-facts.js';
import { processPerConnection } from '../handing-over/process-per-connection.js';
import { planLaunch, type Service } from '../handing-over/run-file-parameters.js';
import { WorkerPool, type WorkerPoolOptions } from '../handing-over/worker-pool.js';
import { becomeUser, type UserOptions } from '../listening/become-user.js';
import { heldLimit, requireDescriptors } from '../listening/descriptor-limit.js';
import { listen } from '../listening/listener.js';
import { parsePort } from '../listening/service-name.js';
import { tryPassedSocket } from '../listening/socket-activation.js';
import { decide } from '../rules/access-rules.js';
import { RulesFile } from '../rules/rules-file.js';
import { requireMetricsFile } from '../telling/metrics-file.js';
import { countersTeller } from '../telling/tell-counters.js';
import { Launcher } from './launcher.js';
import { handleSignals } from './signals.js';

export interface LauncherSettings {
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
  readonly workers: Pick<WorkerPoolOptions, 'workerCount' | 'sessionsPerWorker'> | null;
  /** Where counters go for Prometheus; undefined: to the log only. */
  readonly metrics: string | undefined;
  readonly log: Log;
}

/**
 * Listens and serves until SIGTERM or SIGINT, then until the running sessions have ended.
 *
 * @throws ConfigurationError or TemporaryError when it cannot start
 */
export async function runLauncher(settings: LauncherSettings): Promise<void> {
  const { service, log, concurrency, perSource, backlog, denied } = settings;
  const fd = tryPassedSocket(process.env, process.pid) ?? undefined;
  closeInheritedDescriptors(fd === undefined ? [] : [fd]);
  requireDescriptors(settings.workers?.workerCount ?? 0);
  if (settings.metrics !== undefined) requireMetricsFile(settings.metrics);

  const rules =
    settings.rules === undefined ? null : new RulesFile(settings.rules, log, () => reserve());
  const otherwise = processPerConnection(service);
  const pool: WorkerPool | null =
    settings.workers === null
      ? null
      : new WorkerPool({
          ...{ service, log, otherwise, ...settings.workers },
          waiting: heldLimit(Infinity, () => pool?.waitingCount ?? 0),
        });
  const launcher: Launcher = new Launcher({
    log,
    handOver: pool ?? otherwise,
    judge: (address) => {
      const { level, rule } = decide(rules?.current() ?? null, address);
      return { level, line: rule?.line };
    },
    limits: { concurrency, perSource, held: heldLimit(backlog, () => launcher.counters.held) },
    denied,
  });
  function reserve(): void {
    // Slots that nobody can be trusted enough for would only be lost.
    const isTrustPossible = (rules?.current().highestLevel ?? 0) >= trustedLevel;
    launcher.reserve(isTrustPossible ? reservedSlots(concurrency) : 0);
  }

  const port = fd === undefined ? parsePort(service.port) : 0;
  const listener = await listen(
    { address: settings.address, port, backlog, fd },
    (socket) => launcher.accept(socket),
    (error) => log.write('error', { where: 'accept', why: error.message }),
  );
  // No await may come between listening and this: connections are accepted meanwhile.
  try {
    becomeUser(settings.user);
    rules?.requireReadable();
  } catch (error) {
    listener.close();
    throw error;
  }
  reserve();
  const tellCounters = countersTeller(settings.metrics, listener, log);
  // Before the line that it listens: whoever reads that may send signals.
  const told = handleSignals({
    reload: () => {
      rules?.reread();
      pool?.replace('SIGHUP');
    },
    count: () => void tellCounters('counters', launcher.counters),
  });
  collectOnOneThread();
  log.write('listening', { address: listener.address, port: listener.port });
  warnOfProgram(service, log);
  rules?.warnIfEmpty();
  // After becoming the user: workers are what tcpsrun is.
  pool?.start();

  await told;
  listener.close();
  log.write('stopping', { ...launcher.counters });
  await launcher.stop();
  pool?.close();
  await tellCounters('stopped', launcher.counters);
}

/**
 * What cannot be started costs connections, not the service. An administrator wants to know at
 * once, and not from the first client.
 */
function warnOfProgram(service: Service, log: Log): void {
  try {
    const ofClients = new Set(Object.keys(ucspiVariables(unknownConnection, unratedClient)));
    if (runFileUses(readRunFile(service.runFile), { variables: ofClients })) return;
    const { launch } = planLaunch(service, unknownConnection, unratedClient);
    const program = realpathSync(findProgram(launch));
    const why = basename(program, '.cjs') === 'pop3d' ? whyNoSqlite() : null;
    if (why !== null) log.write('warning', { why });
  } catch (error) {
    if (!(error instanceof RunFileError)) throw error;
    log.write('warning', { why: error.message });
  }
}
