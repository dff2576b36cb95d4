// The worker's end of the hand-over: takes connections from tcpsrun for as long as it sends them.
// doc/tcpsrun-worker.7. Exported from the package, for programs other than pop3d.

import type { Socket } from 'node:net';
import { ChurningMap } from '../system/runtime/churning-map.js';
import { DescriptorRoom } from './descriptor-room.js';
import { failuresNamedIn, FailedLogins, type RecentFailures } from './failed-logins.js';
import { GatheredNews } from './gathered-news.js';
import {
  workerVariable,
  type ConnectionMessage,
  type EvictMessage,
  type KickMessage,
  type WorkerMessage,
} from './worker-protocol.js';

export interface HandedConnection {
  /** Half-open: a client that shuts down its side can still be answered. The worker closes it. */
  readonly socket: Socket;
  /** As the run file has them; the first is argv[0]. */
  readonly arguments: readonly string[];
  /** UCSPI's variables, ACCESSLEVEL, FAILED_LOGINS and LOGIN_DELAY_MS of this connection. */
  readonly environment: Readonly<Record<string, string>>;
  readonly isGreeted: boolean;
  /**
   * The failed logins of the client's network that tcpsrun reported or that sessions of this
   * process had.
   */
  readonly recentFailures: () => RecentFailures;
  /**
   * Counts a failed login, and tells tcpsrun of it.
   *
   * @param delayMs by which the next verdict for the network comes later; 0 or more
   * @param sinceMs when the login was begun, a time of performance.now()
   */
  readonly failLogin: (delayMs: number, sinceMs: number) => void;
  /** Tells tcpsrun of a login, and as whom, for `pop3ctl who`. */
  readonly tellLogin: (user?: string) => void;
  /** `evict` is called when another client needs the slot. After a login it should do nothing. */
  readonly onEvict: (evict: () => void) => void;
  /** `kick` is called when the session is to end now; without one its connection is closed. */
  readonly onKick: (kick: () => void) => void;
}

export interface WorkerOptions {
  /** Sent to each client before the hand-over; null when each session sends its own. */
  readonly greeting: string | null;
  /**
   * Whether the worker reports every login. If it does, tcpsrun may end a session without a
   * reported login.
   */
  readonly reportsLogins: boolean;
  /** Serves one connection to its end. What it throws ends that session only. */
  readonly serve: (connection: HandedConnection) => Promise<void>;
  /** Hears of failed logins, and may tell of those that other machines counted. */
  readonly failures?: FailureExchange | undefined;
  /** Asked with each connection: why another process should replace this one, or null. */
  readonly whyStale: () => string | null;
  /** Writes what went wrong to the log. */
  readonly report: (event: string, fields: Readonly<Record<string, string>>) => void;
}

export interface FailureExchange {
  /** Called once, before the first connection. */
  readonly start: (learn: (network: string, failures: RecentFailures) => void) => void;
  readonly add: (network: string, delayMs: number) => void;
}

type ToWorker = ConnectionMessage | EvictMessage | KickMessage;

/** As many as tcpsrun remembers: about a megabyte of them. */
const maxFailingNetworks = 10_000;

/**
 * How many sessions this process is to serve, as a worker of tcpsrun; 0: any number.
 *
 * @returns null when it is none
 */
export function workerSessions(environment: NodeJS.ProcessEnv): number | null {
  const value = environment[workerVariable];
  return value === undefined || process.send === undefined ? null : Number(value);
}

/** Serves until tcpsrun closes the channel and the last session has ended. */
export async function runWorker(options: WorkerOptions): Promise<void> {
  let hasLauncher = true;
  let isRetiring = false;
  let resolveDrained: () => void = () => undefined;
  const drained = new Promise<void>((resolve) => (resolveDrained = resolve));
  const settle = (): void => {
    if (!hasLauncher && evictions.size === 0) resolveDrained();
  };
  const news = new GatheredNews(tell);
  const failures = new FailedLogins(maxFailingNetworks);
  options.failures?.start((network, recent) => failures.learn(network, recent));
  /** One for each running session. */
  const evictions = new ChurningMap<number, () => void>();
  const kicks = new ChurningMap<number, () => void>();
  const room = new DescriptorRoom();
  const retire = (why: string): void => {
    if (isRetiring) return;
    isRetiring = true;
    tell({ kind: 'retire', why });
  };

  const begin = (message: ConnectionMessage, socket: Socket): void => {
    const { id, network } = message;
    let isEvicted = false;
    evictions.set(id, () => (isEvicted = true));
    kicks.set(id, () => socket.destroy());
    const connection: HandedConnection = {
      socket,
      arguments: message.arguments,
      environment: message.environment,
      isGreeted: message.isGreeted,
      recentFailures: () => failures.of(network),
      failLogin: (delayMs, sinceMs) => {
        failures.add(network, delayMs, sinceMs);
        options.failures?.add(network, delayMs);
        news.tell(id, { what: 'failed-login', delayMs });
      },
      tellLogin: (user) => news.tell(id, { what: 'login', user }),
      onKick: (kick) => {
        kicks.set(id, kick);
      },
      onEvict: (evict) => {
        evictions.set(id, evict);
        if (isEvicted) evict();
      },
    };
    void serveOne(connection, options).finally(() => {
      evictions.delete(id);
      kicks.delete(id);
      news.end(id);
      settle();
    });
  };

  process.on('message', (message: ToWorker, socket?: Socket) => {
    const { id } = message;
    if (message.kind === 'evict' || message.kind === 'kick') {
      (message.kind === 'evict' ? evictions : kicks).get(id)?.();
      return;
    }
    // What follows comes before the socket can be read: until `taken` it is the launcher's.
    if (socket !== undefined && !room.hasRoomFor(socket)) {
      socket.destroy();
      tell({ kind: 'full', id });
      return;
    }
    tell({ kind: 'taken', id });
    failures.learn(message.network, failuresNamedIn(message.environment));
    // The peer can be gone so thoroughly that no socket arrives.
    if (socket === undefined) news.end(id);
    else begin(message, socket);
    const why = options.whyStale();
    if (why !== null) retire(why);
  });
  process.on('disconnect', () => {
    hasLauncher = false;
    settle();
  });
  // The other sessions go on, but no new one is begun in a process whose state nobody knows.
  process.on('uncaughtException', (error) => {
    options.report('error', { error: error.stack ?? error.message });
    retire('an uncaught error');
  });
  // tcpsrun may have closed the channel while this process was loading: then no event comes.
  if (!process.connected) return;
  tell({ kind: 'ready', greeting: options.greeting, reportsLogins: options.reportsLogins });
  await drained;
}

async function serveOne(connection: HandedConnection, options: WorkerOptions): Promise<void> {
  const { socket } = connection;
  // A peer may reset the connection before the session listens.
  socket.on('error', () => undefined);
  socket.allowHalfOpen = true;
  try {
    await options.serve(connection);
  } catch (error) {
    options.report('error', { error: error instanceof Error ? error.message : String(error) });
    socket.destroy();
  }
}

function tell(message: WorkerMessage): void {
  // The launcher may be gone; its clients are served to the end all the same.
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
}
