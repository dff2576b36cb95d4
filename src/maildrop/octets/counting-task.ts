// The octets of many messages, to be counted by several threads at once: what is to be counted and
// what was, in memory that they share. Whoever is free claims the next few messages.

import { closeSync, readSync } from 'node:fs';
import { countOctets } from '../../wire/multiline.js';
import type { Subdirectory } from '../../maildir/scan.js';
import { packingOf } from '../packed/packing.js';
import { MessageFileOpener } from '../view/open-message-file.js';
import { tinySteps, Turns } from '../../system/runtime/turns.js';

/** Can be posted to a thread. */
export interface CountingTask {
  /** One number: the index of the first message that nobody claimed. */
  readonly claims: Int32Array;
  /** Paths as bytes, one after the other. */
  readonly paths: Uint8Array;
  /** Where each path ends in `paths`; the next one starts there. */
  readonly pathEnds: Uint32Array;
  /** What was counted. */
  readonly octets: Float64Array;
}

/**
 * Stands for octets that are not counted yet, or cannot be here: the file moved, is large or
 * compressed, or is not to be read.
 */
export const uncounted = -1;

/** Messages claimed at a time; some tenths of a millisecond's work. */
const messagesPerClaim = 32;

/** Larger files are not counted here. */
const bufferBytes = 256 * 1024;

/** Where a message's file is: latin1 bytes. */
export interface FilePlace {
  readonly subdirectory: Subdirectory;
  readonly name: string;
}

/** @param folders paths of the subdirectories, latin1 bytes */
export async function makeCountingTask(
  folders: Readonly<Record<Subdirectory, string>>,
  files: readonly FilePlace[],
): Promise<CountingTask> {
  const turns = new Turns(tinySteps);
  const pathEnds = new Uint32Array(new SharedArrayBuffer(files.length * 4));
  let length = 0;
  for (const [index, { subdirectory, name }] of files.entries()) {
    length += folders[subdirectory].length + 1 + name.length;
    pathEnds[index] = length;
    if (turns.isOver()) await turns.next();
  }
  const paths = Buffer.from(new SharedArrayBuffer(length));
  let at = 0;
  for (const { subdirectory, name } of files) {
    at += paths.write(`${folders[subdirectory]}/${name}`, at, 'latin1');
    if (turns.isOver()) await turns.next();
  }
  const octets = new Float64Array(new SharedArrayBuffer(files.length * 8)).fill(uncounted);
  return { claims: new Int32Array(new SharedArrayBuffer(4)), paths, pathEnds, octets };
}

/** Leaves nothing to count for anybody. */
export function claimAll({ claims, octets }: CountingTask): void {
  Atomics.store(claims, 0, octets.length);
}

/** One thread's part in a task. */
export class Counting {
  readonly #task: CountingTask;
  readonly #opener = new MessageFileOpener();
  readonly #buffer = Buffer.allocUnsafeSlow(bufferBytes);
  #next = 0;
  #end = 0;

  constructor(task: CountingTask) {
    this.#task = task;
  }

  /**
   * Counts one message that nobody else counts.
   *
   * @returns false when there are none left; others may still be counting
   */
  countNext(): boolean {
    const { claims, octets } = this.#task;
    if (this.#next === this.#end) {
      this.#next = Math.min(Atomics.add(claims, 0, messagesPerClaim), octets.length);
      this.#end = Math.min(this.#next + messagesPerClaim, octets.length);
      if (this.#next === this.#end) return false;
    }
    octets[this.#next] = this.#tryCount(this.#pathAt(this.#next));
    this.#next += 1;
    return true;
  }

  #pathAt(index: number): Buffer {
    const { paths, pathEnds } = this.#task;
    const start = index === 0 ? 0 : (pathEnds[index - 1] ?? 0);
    const end = pathEnds[index] ?? start;
    return Buffer.from(paths.buffer, paths.byteOffset + start, end - start);
  }

  /**
   * Errors are ignored here: the session that needs these octets reads the file again and reports
   * them.
   */
  #tryCount(path: Buffer): number {
    try {
      const fd = this.#opener.tryOpen(path);
      if (fd === null) return uncounted;
      try {
        const length = readSync(fd, this.#buffer, 0, bufferBytes, null);
        // A regular file gives less than was asked for only at its end.
        const bytes = this.#buffer.subarray(0, length);
        const isText = length < bufferBytes && packingOf(bytes) === null;
        return isText ? countOctets(bytes) : uncounted;
      } finally {
        closeSync(fd);
      }
    } catch {
      return uncounted;
    }
  }
}
