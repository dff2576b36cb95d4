// Which calls of a clean run are worth failing: each of the program's own on its files and its connection, and a sample of those
// that its runtime makes for itself.

import { effects, furtherEffects, type Call, type Effect, type Fault } from './strace.js';

export interface Plan {
  /** Every call on the program's files and connection, with every effect. */
  readonly own: readonly Fault[];
  /** The same calls with further errors. */
  readonly further: readonly Fault[];
  /** Calls that name no file of ours: memory, threads, the event loop, sockets being made. */
  readonly runtime: readonly Fault[];
}

export interface PlanOptions {
  /** What the program's own calls act on, under a name that is the same in each run; null for anything else. */
  readonly nameTarget: (target: string) => string | null;
  /** Whether a target exists in this run only, such as a temporary file: its calls are counted among all of their name. */
  readonly isPassing: (target: string) => boolean;
}

/** Waiting calls fail in no way that a program could see, and ends are ends. */
const unfailing = new Set(['exit', 'exit_group', 'execve', 'rt_sigreturn', 'restart_syscall']);

/**
 * Plans the faults for the calls of a clean run.
 *
 * @param first index of the first call that counts: what the runtime does to start is not ours
 */
export function planFaults(calls: readonly Call[], first: number, options: PlanOptions): Plan {
  const counts = new Map<string, number>();
  const countUp = (key: string): number => {
    const ordinal = (counts.get(key) ?? 0) + 1;
    counts.set(key, ordinal);
    return ordinal;
  };
  // By key, because threads count for themselves: what two of them do with the same ordinal is one fault.
  const own = new Map<string, CallToFail>();
  const runtime = new Map<string, CallToFail>();
  const add = (calls: Map<string, CallToFail>, call: CallToFail): void =>
    void calls.set(JSON.stringify(call), call);
  for (const [index, { thread, syscall, target }] of calls.entries()) {
    const ordinal = countUp(`${thread} ${syscall}`);
    const name = target === null ? null : options.nameTarget(target);
    const nameOrdinal = name === null ? 0 : countUp(`${thread} ${syscall} ${name}`);
    if (index < first || unfailing.has(syscall)) continue;
    if (name === null) {
      if (isLoaded(target)) continue;
      add(runtime, { syscall, target: null, ordinal });
    } else if (options.isPassing(name)) add(own, { syscall, target: null, ordinal });
    else add(own, { syscall, target: name, ordinal: nameOrdinal });
  }
  return {
    own: withEach(own.values(), effects),
    further: withEach(own.values(), furtherEffects).filter((fault) => !isUnheardOf(fault)),
    runtime: withEach(runtime.values(), effects),
  };
}

/** Linux interrupts no reading of a directory but for death, and libuv would lose the names that it has read so far. */
function isUnheardOf({ syscall, effect }: Fault): boolean {
  return syscall === 'getdents64' && effect === 'EINTR';
}

type CallToFail = Omit<Fault, 'effect'>;

function withEach(calls: Iterable<CallToFail>, chosen: readonly Effect[]): Fault[] {
  return [...calls].flatMap((call) => chosen.map((effect) => ({ ...call, effect })));
}

/** Modules and libraries: node reads them with calls that are all the same. */
function isLoaded(target: string | null): boolean {
  return target !== null && /^(?:\/(?!dev\/|proc\/)|\.)/.test(target);
}
