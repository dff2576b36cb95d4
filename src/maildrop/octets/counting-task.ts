// The octets of many messages, to be counted by several threads at once: what is to be counted and what was, in memory
// that they share. Whoever is free claims the next few messages.

import { closeSync, readSync } from 'node:fs';
import { countOctets } from '../../wire/multiline.js';
import { packingOf } from '../packed/packing.js';
import { MessageFileOpener } from '../view/open-message-file.js';
import { tinySteps, Turns } from '../../system/runtime/turns.js';

/** Can be posted to a thread. */
export interface CountingTask {
  /** latin1 bytes. */
  readonly inbox: string;
  /** One number: the index of the first message that nobody claimed. */
  readonly claims: Int32Array;
  /** Names as bytes, with their subdirectories: `cur/1700000000.M1P1.host`. */
  readonly names: Uint8Array;
  /** Where each name ends in `names`; the next one starts there. */
  readonly nameEnds: Uint32Array;
  /** What was counted. */
  readonly octets: Float64Array;
}

/** Stands for octets that are not counted yet, or cannot be here: the file moved, is large or compressed, or is not to be read. */
export const uncounted = -1;

/** Messages claimed at a time; some tenths of a millisecond's work. */
const messagesPerClaim = 32;

/** Larger files are not counted here. */
const bufferBytes = 256 * 1024;

/** Where a message's file is: latin1 bytes. */
export interface FilePlace {
  readonly subdirectory: string;
  readonly name: string;
}

/** @param inbox latin1 bytes */
export async function makeCountingTask(
  inbox: string,
  files: readonly FilePlace[],
): Promise<CountingTask> {
  const turns = new Turns(tinySteps);
  const nameEnds = new Uint32Array(new SharedArrayBuffer(files.length * 4));
  let length = 0;
  for (const [index, { subdirectory, name }] of files.entries()) {
    length += subdirectory.length + 1 + name.length;
    nameEnds[index] = length;
    if (turns.isOver()) await turns.next();
  }
  const names = Buffer.from(new SharedArrayBuffer(length));
  let at = 0;
  for (const { subdirectory, name } of files) {
    at += names.write(`${subdirectory}/${name}`, at, 'latin1');
    if (turns.isOver()) await turns.next();
  }
  const octets = new Float64Array(new SharedArrayBuffer(files.length * 8)).fill(uncounted);
  return { inbox, claims: new Int32Array(new SharedArrayBuffer(4)), names, nameEnds, octets };
}

/** One thread's part in a task. */
export class Counting {
  readonly #task: CountingTask;
  readonly #opener = new MessageFileOpener();
  readonly #buffer = Buffer.allocUnsafeSlow(bufferBytes);
  readonly #path: Buffer;
  readonly #prefixLength: number;
  #next = 0;
  #end = 0;

  constructor(task: CountingTask) {
    this.#task = task;
    const prefix = Buffer.from(`${task.inbox}/`, 'latin1');
    this.#prefixLength = prefix.length;
    this.#path = Buffer.alloc(prefix.length + longestOf(task.nameEnds));
    prefix.copy(this.#path);
  }

  /** Counts one message that nobody else counts. @returns false when there are none left; others may still be counting */
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
    const { names, nameEnds } = this.#task;
    const start = index === 0 ? 0 : (nameEnds[index - 1] ?? 0);
    const end = nameEnds[index] ?? start;
    this.#path.set(names.subarray(start, end), this.#prefixLength);
    return this.#path.subarray(0, this.#prefixLength + end - start);
  }

  /** What is wrong with a file, whoever needs its octets will find out and report. */
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

function longestOf(ends: Uint32Array): number {
  let longest = 0;
  let start = 0;
  for (const end of ends) {
    longest = Math.max(longest, end - start);
    start = end;
  }
  return longest;
}
