// Goes on after something that seldom has to be waited for. With nothing to wait for it goes on at
// once: promises would take as long as the work of most commands.

/** @returns what `next` returns; a promise of it where there was something to wait for */
export function after<T>(
  waiting: undefined | Promise<void>,
  next: () => T | Promise<T>,
): T | Promise<T> {
  return waiting === undefined ? next() : waiting.then(next);
}
