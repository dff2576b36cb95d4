// Loads the WebAssembly kernel of multiline.ts (kernel/multiline-kernel.ts) and gives it bytes.
// Where the processor has no SIMD, or the file is missing, there is none, and the plain loops do
// the same more slowly.

import { readFileSync } from 'node:fs';

/** What carries over from one piece of a message to the next. */
export interface EncoderState {
  readonly isAtLineStart: boolean;
  readonly isAfterCr: boolean;
}

export interface KernelResult extends EncoderState {
  /** Never a view of the kernel's memory, which is used again. */
  readonly encoded: Buffer;
  readonly stuffedCount: number;
}

interface KernelExports {
  readonly memory: WebAssembly.Memory;
  readonly encode: (input: number, length: number, output: number, state: number) => number;
  readonly state: () => number;
  readonly stuffed: () => number;
  readonly countBareLineFeeds: (input: number, length: number, previousIsCr: number) => number;
}

/** The most octets that the kernel takes at a time. */
export const maxKernelOctets = 256 * 1024;

const atLineStart = 1;
const afterCr = 2;
/** The kernel keeps nothing in its memory; the first kilobyte is left for its compiler. */
const inputAt = 1024;
const outputAt = inputAt + maxKernelOctets;

export class MultilineKernel {
  readonly #exports: KernelExports;
  readonly #input: Buffer;
  readonly #output: Buffer;

  constructor(exports: KernelExports) {
    this.#exports = exports;
    this.#input = Buffer.from(exports.memory.buffer, inputAt, maxKernelOctets);
    this.#output = Buffer.from(exports.memory.buffer, outputAt);
  }

  /**
   * @param chunk at most `maxKernelOctets`
   * @param into takes the result when it is large enough; else a new buffer does
   */
  encode(chunk: Buffer, before: EncoderState, into?: Buffer): KernelResult {
    const stateBefore = (before.isAtLineStart ? atLineStart : 0) | (before.isAfterCr ? afterCr : 0);
    chunk.copy(this.#input);
    const length = this.#exports.encode(inputAt, chunk.length, outputAt, stateBefore);
    const state = this.#exports.state();
    return {
      encoded: this.#copyOut(length, into),
      stuffedCount: this.#exports.stuffed(),
      isAtLineStart: (state & atLineStart) !== 0,
      isAfterCr: (state & afterCr) !== 0,
    };
  }

  #copyOut(length: number, into: Buffer | undefined): Buffer {
    const encoded = into !== undefined && length <= into.length ? into : Buffer.allocUnsafe(length);
    this.#output.copy(encoded, 0, 0, length);
    return encoded.subarray(0, length);
  }

  /** @param chunk at most `maxKernelOctets` @param previousByte the octet before it */
  countBareLineFeeds(chunk: Buffer, previousByte: number): number {
    chunk.copy(this.#input);
    return this.#exports.countBareLineFeeds(inputAt, chunk.length, previousByte === 0x0d ? 1 : 0);
  }
}

let kernel: MultilineKernel | null | undefined;

/** Loads the kernel once, in a fraction of a millisecond. @returns null where it cannot run */
export function multilineKernel(): MultilineKernel | null {
  if (kernel === undefined) kernel = tryLoad();
  return kernel;
}

function tryLoad(): MultilineKernel | null {
  try {
    const bytes = readFileSync(new URL('./multiline-kernel.wasm', import.meta.url));
    const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes));
    return new MultilineKernel(instance.exports as KernelExports);
  } catch {
    return null;
  }
}
