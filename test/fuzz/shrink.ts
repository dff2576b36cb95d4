// Makes a failing list of inputs as small as it can be and still fail.

/** Runs of `fails` at most. */
const mostTries = 3000;

/**
 * Leaves out inputs, then pieces of inputs, for as long as what is left still fails.
 *
 * @param inputs a list that fails
 */
export async function shrink(
  inputs: readonly string[],
  fails: (inputs: readonly string[]) => Promise<boolean>,
): Promise<readonly string[]> {
  let tries = 0;
  const stillFails = async (candidate: readonly string[]): Promise<boolean> => {
    tries += 1;
    return tries <= mostTries && (await fails(candidate));
  };
  const whole = await shrinkList(inputs, stillFails);
  let best = whole;
  for (let index = 0; index < best.length; index += 1) {
    const shorter = await shrinkList(charactersOf(best[index] ?? ''), (characters) =>
      stillFails(best.with(index, characters.join(''))),
    );
    best = best.with(index, shorter.join(''));
  }
  return best;
}

/** Takes out runs of items, long ones first, down to single ones. */
async function shrinkList(
  items: readonly string[],
  fails: (items: readonly string[]) => Promise<boolean>,
): Promise<readonly string[]> {
  let best = items;
  for (let length = Math.ceil(best.length / 2); length >= 1; length = Math.floor(length / 2)) {
    for (let at = 0; at < best.length;) {
      const candidate = best.toSpliced(at, length);
      if (await fails(candidate)) best = candidate;
      else at += length;
    }
  }
  return best;
}

/** One for each octet: inputs are latin1. */
function charactersOf(text: string): readonly string[] {
  return Array.from({ length: text.length }, (_, index) => text.charAt(index));
}
