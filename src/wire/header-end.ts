// Finds the empty line that ends a message's header. RFC 5322 §2.1. A line ends with LF or CRLF.

const lf = 0x0a;
const cr = 0x0d;

/** Looks at a message piece by piece until the header's end is found. */
export class HeaderEnd {
  #isFound = false;
  /** What of the current line was in earlier pieces: nothing, one CR, or anything else. */
  #line: 'empty' | 'cr' | 'text' = 'empty';

  get isFound(): boolean {
    return this.#isFound;
  }

  /**
   * @returns the offset in `chunk` just after the empty line; -1 when it is not in this piece or
   *   was found before
   */
  look(chunk: Buffer): number {
    if (this.#isFound) return -1;
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(lf, start);
      const stop = end === -1 ? chunk.length : end;
      this.#extendLine(chunk, start, stop);
      if (end === -1) return -1;
      if (this.#line !== 'text') {
        this.#isFound = true;
        return end + 1;
      }
      this.#line = 'empty';
      start = end + 1;
    }
  }

  #extendLine(chunk: Buffer, start: number, stop: number): void {
    if (start === stop) return;
    const isLoneCr = stop - start === 1 && chunk[start] === cr && this.#line === 'empty';
    this.#line = isLoneCr ? 'cr' : 'text';
  }
}
