// tcpsrun from start to end: it listens, becomes its user, and serves until it is told to stop.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { closeInheritedDescriptors } from '../../system/descriptors/inherited-descriptors.js';
import type { Log } from '../../system/log/log.js';
import { collectOnOneThread } from '../../system/runtime/garbage.js';
import { reservedSlots, trustedLevel } from '../fairness/trusted-level.js';
import { becomeUser, type UserOptions } from '../listening/become-user.js';
import { heldLimit, requireDescriptors } from '../listening/descriptor-limit.js';
import { requireExactReading } from '../listening/read-proxy-header.js';
import { assignSockets, passedSockets } from '../listening/socket-activation.js';
import { decide } from '../rules/access-rules.js';
import type { NetworkList } from '../rules/network-list.js';
import { RulesFile } from '../rules/rules-file.js';
import { openControlSocket } from '../telling/control-socket.js';
import { requireMetricsFile } from '../telling/metrics-file.js';
import { countersTeller } from '../telling/tell-counters.js';
import { handOversFor, type WorkerSettings } from './hand-overs.js';
import { Launcher } from './launcher.js';
import { openListeners, type ListenerSettings } from './listeners.js';
import { PresentSessions } from './present-sessions.js';
import { ProxiedArrivals } from './proxied-arrivals.js';
import { handleSignals } from './signals.js';
import { warnOfProgram } from './warn-of-program.js';

/** A proxy sends the header with the connection: so many never wait for it at a time. */
const mostAwaitedHeaders = 1024;

export interface LauncherSettings {
  /** One or more. */
  readonly listeners: readonly ListenerSettings[];
  /** A rules file; undefined: everybody has level 1. */
  readonly rules: string | undefined;
  readonly denied: 'closed' | 'served';
  readonly concurrency: number;
  readonly perSource: number;
  /** Both listen(2)'s backlog and how many connections are held. */
  readonly backlog: number;
  readonly user: UserOptions;
  /** Workers kept started; null: a process is started for each connection. */
  readonly workers: WorkerSettings | null;
  /** From where connections begin with a PROXY header. */
  readonly proxies: NetworkList;
  /** Where pop3ctl asks; undefined: nowhere. */
  readonly control: string | undefined;
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
  const { listeners, log, concurrency, perSource, backlog, denied, proxies } = settings;
  const services = listeners.map(({ service }) => service);
  const descriptors = assignSockets(
    passedSockets(process.env, process.pid),
    services.map(({ port }) => port),
  );
  closeInheritedDescriptors(descriptors);
  const handOvers = handOversFor(services, settings.workers, log);
  requireDescriptors(handOvers.workerCount);
  if (settings.metrics !== undefined) requireMetricsFile(settings.metrics);
  if (!proxies.isEmpty) requireExactReading();

  const rules =
    settings.rules === undefined ? null : new RulesFile(settings.rules, log, () => reserve());
  const present = new PresentSessions();
  const launcher: Launcher = new Launcher({
    log,
    present,
    judge: (address) => {
      const { level, rule } = decide(rules?.current() ?? null, address);
      return { level, line: rule?.line };
    },
    limits: { concurrency, perSource, held: heldLimit(backlog, () => launcher.counters.held) },
    denied,
  });
  const arrivals: ProxiedArrivals = new ProxiedArrivals({
    ...{ launcher, proxies },
    mostAwaited: heldLimit(mostAwaitedHeaders, () => arrivals.awaitedCount),
  });
  function reserve(): void {
    // Slots that nobody can be trusted enough for would only be lost.
    const isTrustPossible = (rules?.current().highestLevel ?? 0) >= trustedLevel;
    launcher.reserve(isTrustPossible ? reservedSlots(concurrency) : 0);
  }

  const opened = await openListeners({
    ...{ listeners, descriptors, backlog },
    onConnection: (socket, index) => {
      const handOver = handOvers.all[index];
      const port = listeners.length > 1 ? opened.places[index]?.port : undefined;
      if (handOver !== undefined) arrivals.accept(socket, { handOver, port });
    },
    onAcceptError: (error) => log.write('error', { where: 'accept', why: error.message }),
  });
  let closeControl: (() => void) | undefined;
  try {
    becomeUser(settings.user);
    rules?.requireReadable();
    if (settings.control !== undefined) {
      closeControl = await openControlSocket(settings.control, (request) => {
        if (request.command === 'counters') return { counters: launcher.counters };
        if (request.command === 'who') return { sessions: present.list() };
        log.write('kick', { whom: request.whom });
        return { sessions: present.kick(request.whom) };
      });
    }
  } catch (error) {
    opened.close();
    throw error;
  }
  reserve();
  const tellCounters = countersTeller(settings.metrics, opened.places, log);
  // Before the line that it listens: whoever reads that may send signals.
  const told = handleSignals({
    reload: () => {
      rules?.reread();
      handOvers.replace('SIGHUP');
    },
    count: () => void tellCounters('counters', launcher.counters),
  });
  collectOnOneThread();
  for (const { address, port } of opened.places) log.write('listening', { address, port });
  for (const service of services) warnOfProgram(service, log);
  rules?.warnIfEmpty();
  // After becoming the user: workers are what tcpsrun is.
  handOvers.start();
  opened.begin();

  await told;
  // A connection that waits to be accepted would be reset, and its client has been told of none.
  for (let turn = 0; turn < 2; turn += 1) await nextTurn();
  opened.close();
  log.write('stopping', { ...launcher.counters });
  await arrivals.end();
  await launcher.stop();
  closeControl?.();
  handOvers.close();
  await tellCounters('stopped', launcher.counters);
}
