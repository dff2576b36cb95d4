// Which calls of a clean run are worth failing: each of the program's own on its files and its connection, and a sample of those
// that its runtime makes for itself.

import { effects, type Call, type Fault } from './strace.js';

export interface Plan {
  /** Every call on the program's files and connection, with every effect. */
  readonly own: readonly Fault[];
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
  const own = new Map<string, Fault>();
  const runtime = new Map<string, Fault>();
  for (const [index, { thread, syscall, target }] of calls.entries()) {
    const ordinal = countUp(`${thread} ${syscall}`);
    const name = target === null ? null : options.nameTarget(target);
    const nameOrdinal = name === null ? 0 : countUp(`${thread} ${syscall} ${name}`);
    if (index < first || unfailing.has(syscall)) continue;
    if (name === null) {
      if (isLoaded(target)) continue;
      addAll(runtime, { syscall, target: null, ordinal });
    } else if (options.isPassing(name)) addAll(own, { syscall, target: null, ordinal });
    else addAll(own, { syscall, target: name, ordinal: nameOrdinal });
  }
  return { own: [...own.values()], runtime: [...runtime.values()] };
}

function addAll(faults: Map<string, Fault>, call: Omit<Fault, 'effect'>): void {
  for (const effect of effects) {
    const fault = { ...call, effect };
    faults.set(JSON.stringify(fault), fault);
  }
}

/** Modules and libraries: node reads them with calls that are all the same. */
function isLoaded(target: string | null): boolean {
  return target !== null && /^(?:\/(?!dev\/|proc\/)|\.)/.test(target);
}
