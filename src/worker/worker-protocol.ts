// What tcpsrun and a kept worker say to each other over Node's IPC channel. doc/tcpsrun-worker.7.

/** Set for workers only: how many sessions it will be given, 0 for any number. */
export const workerVariable = 'TCPSRUN_WORKER';

/** With each connection, whose socket travels beside it. */
export interface ConnectionMessage {
  readonly kind: 'connection';
  readonly id: number;
  /** The run file's arguments for this connection; the first is argv[0]. */
  readonly arguments: readonly string[];
  /** UCSPI's variables, ACCESSLEVEL, FAILED_LOGINS and LOGIN_DELAY_MS. */
  readonly environment: Readonly<Record<string, string>>;
  /** What failed logins are counted for: the client's IPv4 address or /64. */
  readonly network: string;
  /** Whether the launcher has sent the worker's greeting already. */
  readonly isGreeted: boolean;
}

/** A session that has not logged in is to end, because another client waits for its place. */
export interface EvictMessage {
  readonly kind: 'evict';
  readonly id: number;
}

/** A session is to end now, whatever it does: somebody who administers the service says so. */
export interface KickMessage {
  readonly kind: 'kick';
  readonly id: number;
}

/** What happened in sessions, by their ids. A failed login is there once for each time. */
export interface SessionsMessage {
  readonly kind: 'sessions';
  readonly loggedIn: readonly number[];
  /** For each login, as whom; null where that is not told. */
  readonly users: readonly (string | null)[];
  readonly failedLogins: readonly number[];
  /**
   * For each failed login, by how many milliseconds the next answer to its network is delayed; 0
   * for other news.
   */
  readonly failureDelaysMs: readonly number[];
  readonly ended: readonly number[];
}

export type WorkerMessage =
  /**
   * Connections may come. `greeting`: what the launcher may send to each at once, so that a
   * worker's death costs no client its greeting. `reportsLogins`: the worker reports every login,
   * so sessions without a reported login may be evicted.
   */
  | { readonly kind: 'ready'; readonly greeting: string | null; readonly reportsLogins: boolean }
  /** The connection is the worker's now. */
  | { readonly kind: 'taken'; readonly id: number }
  /** The worker has closed its copy unread: it has no descriptors for another session. */
  | { readonly kind: 'full'; readonly id: number }
  | SessionsMessage
  /** Another worker should take the place of this one; it finishes what it has. */
  | { readonly kind: 'retire'; readonly why: string };

/** Reads what a worker sent. @returns null for anything else: a worker can be any program */
export function tryWorkerMessage(message: unknown): WorkerMessage | null {
  if (typeof message !== 'object' || message === null) return null;
  const fields = message as Record<string, unknown>;
  const { kind, id, greeting, why } = fields;
  switch (kind) {
    case 'ready':
      return {
        kind,
        greeting: typeof greeting === 'string' ? greeting : null,
        reportsLogins: fields['reportsLogins'] === true,
      };
    case 'taken':
    case 'full':
      return typeof id === 'number' ? { kind, id } : null;
    case 'sessions':
      return {
        kind,
        loggedIn: numbersIn(fields['loggedIn']),
        users: namesIn(fields['users']),
        failedLogins: numbersIn(fields['failedLogins']),
        failureDelaysMs: numbersIn(fields['failureDelaysMs']),
        ended: numbersIn(fields['ended']),
      };
    case 'retire':
      return { kind, why: typeof why === 'string' ? why : 'it asked to' };
    default:
      return null;
  }
}

function numbersIn(list: unknown): readonly number[] {
  return Array.isArray(list) ? list.filter((value) => typeof value === 'number') : [];
}

function namesIn(list: unknown): readonly (string | null)[] {
  if (!Array.isArray(list)) return [];
  return list.map((value) => (typeof value === 'string' ? value : null));
}
