// Runs a program once for each planned fault, or for as many of them as there is time for, and counts what came of it.

import { seededRandom } from '../torture/random.js';
import { planFaults } from './plan.js';
import { parseTrace, wasInjected, type Fault } from './strace.js';
import type { Subject } from './subject.js';

export interface SweepOptions {
  readonly seed: number;
  /** Faults of the program's own calls that are drawn; by default all. */
  readonly ownLimit?: number;
  /** Faults of the runtime's calls that are drawn. */
  readonly runtimeLimit: number;
  /** Faults of the program's own calls with further errors; they come last. */
  readonly furtherLimit: number;
  readonly budgetMs?: number;
}

export interface SweepResult {
  /** Faults of the program's own calls, and of the runtime's. */
  readonly plannedOwn: number;
  readonly plannedRuntime: number;
  readonly plannedFurther: number;
  readonly runs: number;
  /** Of these, with further errors. */
  readonly furtherRuns: number;
  /** Runs in which the call was made, and failed. */
  readonly injected: number;
  readonly seconds: number;
  /** Outcomes that are not allowed, each with its fault. */
  readonly violations: readonly string[];
}

/** Runs side by side: most of each is waiting for the other end. */
const lanes = 2;

export async function sweep(subject: Subject, options: SweepOptions): Promise<SweepResult> {
  const startedMs = performance.now();
  const clean = await subject.run(null);
  const violations = clean.violations.map((violation) => `without a fault: ${violation}`);
  const calls = parseTrace(clean.trace);
  const plan = planFaults(calls, subject.firstOwnCall(calls), subject);
  const random = seededRandom(options.seed);
  const required = shuffle(
    [
      ...shuffle(plan.own, random).slice(0, options.ownLimit ?? plan.own.length),
      ...shuffle(plan.runtime, random).slice(0, options.runtimeLimit),
    ],
    random,
  );
  const faults = [...required, ...shuffle(plan.further, random).slice(0, options.furtherLimit)];
  let runs = 0;
  let injected = 0;
  const { budgetMs = Number.POSITIVE_INFINITY } = options;
  const work = async (): Promise<void> => {
    for (let fault = faults.shift(); fault !== undefined; fault = faults.shift()) {
      if (performance.now() - startedMs > budgetMs) return;
      const outcome = await runFault(subject, fault);
      runs += 1;
      if (outcome.isInjected) injected += 1;
      violations.push(...outcome.violations);
    }
  };
  await Promise.all(Array.from({ length: lanes }, work));
  return {
    plannedOwn: plan.own.length,
    plannedRuntime: plan.runtime.length,
    plannedFurther: plan.further.length,
    runs,
    furtherRuns: Math.max(0, runs - required.length),
    injected,
    seconds: (performance.now() - startedMs) / 1000,
    violations,
  };
}

async function runFault(
  subject: Subject,
  fault: Fault,
): Promise<{ readonly isInjected: boolean; readonly violations: readonly string[] }> {
  const described = `${subject.name} ${JSON.stringify(fault)}`;
  try {
    const { violations, trace } = await subject.run(fault);
    return {
      isInjected: wasInjected(trace),
      violations: violations.map((violation) => `${described}: ${violation}`),
    };
  } catch (error) {
    return { isInjected: false, violations: [`${described}: ${String(error)}`] };
  }
}

function shuffle<T>(items: readonly T[], random: (limit: number) => number): T[] {
  const shuffled = [...items];
  for (let at = shuffled.length - 1; at > 0; at -= 1) {
    const other = random(at + 1);
    const [one, two] = [shuffled[at], shuffled[other]];
    if (one !== undefined && two !== undefined) [shuffled[at], shuffled[other]] = [two, one];
  }
  return shuffled;
}
