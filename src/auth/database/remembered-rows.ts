// Rows of a SQLite file as they were read, kept until the file changes. Reading a row takes eight system calls for locks and
// journals; a look at the file and its write-ahead log takes two. Knows files; knows nothing of SQL.

import { statSync, type Stats } from 'node:fs';

/** A change so soon after another may leave the time stamps as they are: some file systems store even seconds. */
const grainMs = 2500;

export class RememberedRows<Row> {
  readonly #log: string;
  readonly #capacity: number;
  readonly #now: () => number;
  /** By key, the longest unused first. */
  readonly #rows = new Map<string, Row>();
  #file: Stats | undefined;
  #logFile: Stats | undefined;
  #isSettled = false;

  /**
   * @param file path of the database
   * @param capacity how many rows are kept; 0: none
   * @param now milliseconds since 1970, by the clock that files are stamped with
   */
  constructor(file: string, capacity: number, now = Date.now) {
    this.#log = `${file}-wal`;
    this.#now = now;
    this.#capacity = capacity;
  }

  /** To be called before each `find`: forgets all when the database changed, or may have. @param file of the database itself */
  look(file: Stats): void {
    if (this.#capacity === 0) return;
    const log = statSync(this.#log, { throwIfNoEntry: false });
    const isSame = isSameFile(file, this.#file) && isSameFile(log, this.#logFile);
    if (isSame && this.#isSettled) return;
    this.#rows.clear();
    this.#file = file;
    this.#logFile = log;
    const now = this.#now();
    this.#isSettled = isOld(file, now) && (log === undefined || isOld(log, now));
  }

  find(key: string): Row | undefined {
    const row = this.#rows.get(key);
    if (row === undefined) return undefined;
    this.#rows.delete(key);
    this.#rows.set(key, row);
    return row;
  }

  /** @param row as it was read after the last `look` */
  add(key: string, row: Row): void {
    if (this.#capacity === 0 || !this.#isSettled) return;
    this.#rows.set(key, row);
    for (const oldest of this.#rows.keys()) {
      if (this.#rows.size <= this.#capacity) break;
      this.#rows.delete(oldest);
    }
  }
}

/** Two that are both missing are the same. */
function isSameFile(one: Stats | undefined, other: Stats | undefined): boolean {
  return (
    one?.mtimeMs === other?.mtimeMs &&
    one?.ctimeMs === other?.ctimeMs &&
    one?.size === other?.size &&
    one?.ino === other?.ino &&
    one?.dev === other?.dev
  );
}

function isOld({ mtimeMs, ctimeMs }: Stats, now: number): boolean {
  return now - Math.max(mtimeMs, ctimeMs) > grainMs;
}
