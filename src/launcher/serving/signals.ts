// What signals do to tcpsrun: SIGHUP, SIGUSR1, SIGTERM and SIGINT. tcpsrun(8), SIGNALS.

export interface SignalActions {
  /** SIGHUP: read the rules again, replace workers. */
  readonly reload: () => void;
  /** SIGUSR1: tell counters. */
  readonly count: () => void;
}

/**
 * Begins to act on signals.
 *
 * @returns a promise that resolves at the first SIGTERM or SIGINT; the next one ends the process at
 *   once, with sessions still running
 */
export function handleSignals({ reload, count }: SignalActions): Promise<void> {
  process.on('SIGHUP', reload);
  process.on('SIGUSR1', count);
  return new Promise((resolve) => {
    let isToldToStop = false;
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        if (isToldToStop) process.exit(0);
        isToldToStop = true;
        resolve();
      });
    }
  });
}
