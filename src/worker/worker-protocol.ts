// What tcpsrun and a kept worker say to each other over Node's IPC channel. doc/tcpsrun-worker.7.

/** The variable that tells a program that it was started as a worker; its value is how many sessions it will be given, 0 for any number. */
export const workerVariable = 'TCPSRUN_WORKER';

/** With each connection, whose socket travels beside it. */
export interface ConnectionMessage {
  readonly kind: 'connection';
  readonly id: number;
  /** The run file's arguments for this connection; the first is argv[0]. */
  readonly arguments: readonly string[];
  /** UCSPI's variables and ACCESSLEVEL. */
  readonly environment: Readonly<Record<string, string>>;
  /** Whether the launcher has sent the worker's greeting already. */
  readonly isGreeted: boolean;
}

export type WorkerMessage =
  /** Connections may come. `greeting`: what the launcher may send to each at once, so that a worker's death costs no client its greeting. */
  | { readonly kind: 'ready'; readonly greeting: string | null }
  /** The connection is the worker's now. */
  | { readonly kind: 'taken'; readonly id: number }
  /** These sessions are over. */
  | { readonly kind: 'ended'; readonly ids: readonly number[] }
  /** Another worker should take the place of this one; it finishes what it has. */
  | { readonly kind: 'retire'; readonly why: string };

/** Reads what a worker sent. @returns null for anything else: a worker can be any program */
export function tryWorkerMessage(message: unknown): WorkerMessage | null {
  if (typeof message !== 'object' || message === null) return null;
  const { kind, id, ids, greeting, why } = message as Record<string, unknown>;
  switch (kind) {
    case 'ready':
      return { kind, greeting: typeof greeting === 'string' ? greeting : null };
    case 'taken':
      return typeof id === 'number' ? { kind, id } : null;
    case 'ended':
      return Array.isArray(ids) ? { kind, ids: ids.filter(isNumber) } : null;
    case 'retire':
      return { kind, why: typeof why === 'string' ? why : 'it asked to' };
    default:
      return null;
  }
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number';
}
