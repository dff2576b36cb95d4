// Gives up on promises that take too long, so that a hang is a failure with a reason.

/**
 * Waits for a promise.
 *
 * @param describe what to say when it does not settle in time
 * @throws the promise's own error, or Error with `describe()` after `withinMs` milliseconds
 */
export async function deadline<T>(
  promise: Promise<T>,
  withinMs: number,
  describe: () => string,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`after ${withinMs} ms: ${describe()}`));
    }, withinMs);
  });
  try {
    return await Promise.race([promise, expired]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Asks again and again until `probe` returns something other than undefined: for what gives no event to wait for,
 * such as a file of another process.
 *
 * @throws Error with `description` after `withinMs` milliseconds
 */
export async function poll<T>(
  description: string,
  probe: () => Promise<T | undefined>,
  withinMs = 60_000,
): Promise<T> {
  const end = performance.now() + withinMs;
  for (;;) {
    const answer = await probe();
    if (answer !== undefined) return answer;
    if (performance.now() > end) throw new Error(`after ${withinMs} ms: ${description}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
