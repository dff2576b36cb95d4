// What a sweep of faults needs of a program under test.

import { parseTrace, type Call, type Fault } from './strace.js';
import type { PlanOptions } from './plan.js';

export interface FaultyRun {
  /** Broken invariants, each in a sentence; none for a run that was as it may be. */
  readonly violations: readonly string[];
  /** Status lines that a client got, in order. */
  readonly replies: readonly string[];
  /** What strace wrote. */
  readonly trace: string;
}

export interface Subject extends PlanOptions {
  readonly name: string;
  /** Runs the program under strace, without a fault or with one, and checks what must hold afterwards. */
  readonly run: (fault: Fault | null) => Promise<FaultyRun>;
  /** Where in a clean run the program's own work begins. */
  readonly firstOwnCall: (calls: readonly Call[]) => number;
}

/** What libuv and node ask of descriptors for themselves, when they open them and once more when they end. */
const descriptorCalls = ['fcntl', 'fstat', 'ioctl', 'newfstatat'];

/**
 * Whether a call is the runtime's and not the program's. V8, libuv and node may abort or stand still when their memory, threads and
 * descriptors fail them, and nothing that runs on them can mend that. Mail must be safe all the same, and no reply false.
 *
 * @param target as `nameTarget` has it
 */
export function isRuntimes(syscall: string, target: string | null): boolean {
  return (
    target === null ||
    (target.startsWith('@') && !target.includes('/') && descriptorCalls.includes(syscall))
  );
}

/** Whether a fault struck the runtime; what was planned need not be what was struck, since threads run as they like. */
export function struckRuntime(subject: PlanOptions, trace: string): boolean {
  return parseTrace(trace).some(
    ({ isInjected, syscall, target }) =>
      isInjected && isRuntimes(syscall, target === null ? null : subject.nameTarget(target)),
  );
}

/** A stack trace of node's, also where a log line has it with its line ends escaped. */
export function hasStackTrace(text: string): boolean {
  return /(?:\n|\\n) +at /.test(text);
}

/** Exit codes that every program of the suite may end with. */
export function isOwnExit(status: number | null): boolean {
  return status !== null && [0, 1, 100, 111].includes(status);
}
