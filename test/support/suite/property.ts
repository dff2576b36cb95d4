// Properties as one assertion each: fast-check finds and shrinks the counterexample, tap reports it.
// A property fails by throwing, as node:assert does; tap's own assertions only take note and would stop no shrinking.

import fc from 'fast-check';

/** The part of tap's `t` that is needed here. */
interface Assertions {
  ok(value: unknown, message: string): unknown;
}

/** Checks a property with draws that are the same in every run. */
export function holds<T>(t: Assertions, property: fc.IProperty<T>, draws: fc.Parameters<T>): void {
  report(t, fc.check(property, draws));
}

/** As `holds`, for a property that is a promise. */
export async function holdsInTime<T>(
  t: Assertions,
  property: fc.IAsyncProperty<T>,
  draws: fc.Parameters<T>,
): Promise<void> {
  report(t, await fc.check(property, draws));
}

function report<T>(t: Assertions, details: fc.RunDetails<T>): void {
  t.ok(!details.failed, fc.defaultReportMessage(details) ?? `holds in ${details.numRuns} draws`);
}
