// Work that ends with an AbortSignal or at a deadline, whichever comes first.

/**
 * Runs `work` with a signal that aborts as `signal` does, or after `ms` with `late` as its reason.
 * The work must end when its signal aborts.
 *
 * @throws what `work` throws
 */
export async function withDeadline<T>(
  signal: AbortSignal,
  ms: number,
  late: Error,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const onAbort = (): void => controller.abort(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  const timer = setTimeout(() => controller.abort(late), ms);
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}
