// Rounds: all take turns, so that whatever else the machine does hits each of them; and the middle of what was measured.

/**
 * Measures each subject once a round, in turn.
 *
 * @returns all figures of each subject, in the order of the subjects
 */
export async function inRounds<Subject, Figure>(
  rounds: number,
  subjects: readonly Subject[],
  measure: (subject: Subject) => Promise<Figure>,
): Promise<Map<Subject, Figure[]>> {
  const figures = new Map<Subject, Figure[]>(subjects.map((subject) => [subject, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const [subject, measured] of figures) measured.push(await measure(subject));
  }
  return figures;
}

/** NaN of nothing; of an even number, the higher one of the two in the middle. */
export function median(values: readonly number[]): number {
  return [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
}
