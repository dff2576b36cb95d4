// strace(1) as the hand that makes system calls fail: which calls a program makes, one of them failed or deadly, and whether it
// came to that.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { skipOrFail, unlessInstalled } from '../support/peers/debian.js';

/** The errors that each call is failed with, and death at the call. */
export const effects = ['EIO', 'ENOSPC', 'EACCES', 'EMFILE', 'KILL'] as const;
/** Further errors, for as many calls as there is time for. */
export const furtherEffects = [
  'EDQUOT',
  'ENFILE',
  'EPERM',
  'ENOENT',
  'EROFS',
  'ESTALE',
  'ENOTCONN',
  'ETIMEDOUT',
  'EINTR',
  'ENOMEM',
  'ELOOP',
] as const;
export type Effect = (typeof effects)[number] | (typeof furtherEffects)[number];

/** One system call of one run. */
export interface Call {
  /** Thread id. */
  readonly thread: number;
  readonly syscall: string;
  /** The path it was given, or that of the descriptor; null when it has neither. */
  readonly target: string | null;
  readonly isInjected: boolean;
}

/** Which call is to fail, and how. */
export interface Fault {
  readonly syscall: string;
  /** Only calls on this path or descriptor are counted; null: all of that name. */
  readonly target: string | null;
  /** The first is 1; each thread counts for itself. */
  readonly ordinal: number;
  readonly effect: Effect;
}

/** @returns false when calls can be failed here, else why not */
export function unlessTraceable(): string | false {
  const missing = unlessInstalled('strace');
  if (missing !== false) return missing;
  try {
    execFileSync('strace', ['-f', '-qq', '-o', '/dev/null', 'true'], { stdio: 'ignore' });
    return false;
  } catch {
    return skipOrFail('ptrace(2) is not allowed here');
  }
}

/** The arguments of strace for a look at all calls; which processes to look at follows. */
export function watchingArguments(output: string): string[] {
  return ['-y', '-o', output];
}

/**
 * The arguments of strace for one fault; which processes it is for follows.
 *
 * @param targets what `fault.target` is called in this run, absolute and relative; none: all calls of the name count
 */
export function failingArguments(
  fault: Fault,
  targets: readonly string[],
  output: string,
): string[] {
  const { syscall, ordinal, effect } = fault;
  const how = effect === 'KILL' ? 'signal=KILL' : `error=${effect}`;
  return [
    ...['-y', '-o', output],
    ...targets.flatMap((target) => ['-P', target]),
    ...['-e', `trace=${syscall}`, '-e', `inject=${syscall}:${how}:when=${ordinal}`],
  ];
}

/** Reads what strace wrote. The second half of an interrupted call only tells whether it was failed. */
export function parseTrace(text: string): Call[] {
  // A thread has one call at a time, so an end belongs to its last one.
  const failed = text.split('\n').flatMap((line) => {
    const [, thread, syscall] =
      /^(\d+) +<\.\.\. ([a-z0-9_]+) resumed>.*\(INJECTED\)/.exec(line) ?? [];
    return thread === undefined ? [] : [`${thread} ${syscall ?? ''}`];
  });
  return text.split('\n').flatMap((line) => {
    const [, thread, syscall, rest = ''] = /^(\d+) +([a-z0-9_]+)\((.*)$/.exec(line) ?? [];
    if (thread === undefined || syscall === undefined) return [];
    const isUnfinished = rest.endsWith('<unfinished ...>');
    // A strace that lets go of a program in the middle of a call may have struck it and not say so.
    const mayBeStruck = rest.endsWith('<detached ...>');
    return [
      {
        thread: Number(thread),
        syscall,
        target: targetOf(syscall, rest),
        isInjected:
          rest.includes('(INJECTED)') ||
          mayBeStruck ||
          (isUnfinished && failed.includes(`${thread} ${syscall}`)),
      },
    ];
  });
}

/** Whether the fault came about: an error says so, a death by its signal. */
export function wasInjected(trace: string): boolean {
  return trace.includes('(INJECTED)') || trace.includes('+++ killed by SIGKILL');
}

/** What starting a program, or a thread, takes. */
const spawningCalls = ['vfork', 'fork', 'clone', 'clone3', 'pipe2', 'socketpair'];

/** `AT_FDCWD<…>, "path"` and `"path"` are about the path, `19<path>` about the descriptor. */
function targetOf(syscall: string, rest: string): string | null {
  if (syscall === 'socket') return 'socket:new';
  if (spawningCalls.includes(syscall)) return 'spawn:';
  const [, path] = /^(?:AT_FDCWD<[^>]*>, )?"([^"]+)"/.exec(rest) ?? [];
  if (path !== undefined) return path;
  const [, descriptor] = /^\d+<([^>]*)>/.exec(rest) ?? [];
  return descriptor ?? null;
}

/** Kills the program that a strace started, and strace: which would leave it alone when it is killed itself. */
export function killTraced(pid: number): void {
  for (const child of childrenOf(pid)) killIfThere(child);
  killIfThere(pid);
}

function childrenOf(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim();
    return text === '' ? [] : text.split(' ').map(Number);
  } catch {
    return [];
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
