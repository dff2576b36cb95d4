// Does together what happens within a few milliseconds: a write, or a message to another process,
// costs as much as the work that it tells of.

/** Short enough for whoever waits for it, long enough for a dozen sessions on a busy server. */
const gatherMs = 5;

/**
 * @returns a function that makes `act` run once, 5 ms after the first of the calls that came
 *   meanwhile
 */
export function gather(act: () => void): () => void {
  let isDue = false;
  return () => {
    if (isDue) return;
    isDue = true;
    setTimeout(() => {
      isDue = false;
      act();
    }, gatherMs);
  };
}
