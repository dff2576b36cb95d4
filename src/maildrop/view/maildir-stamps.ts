// Whether a Maildir changed since it was last scanned: the stamps of `new` and `cur` together.

import { lstatSync } from 'node:fs';
import { FileWatch } from '../../system/files/file-stamp.js';

export class MaildirStamps {
  readonly #paths: readonly Buffer[];
  readonly #watches: readonly FileWatch[];

  private constructor(paths: readonly Buffer[], watches: readonly FileWatch[]) {
    this.#paths = paths;
    this.#watches = watches;
  }

  /** Stamps that remember nothing yet. @param inbox latin1 bytes */
  static of(inbox: string): MaildirStamps {
    const paths = ['new', 'cur'].map((folder) => Buffer.from(`${inbox}/${folder}`, 'latin1'));
    return new MaildirStamps(
      paths,
      paths.map((path) => new FileWatch(path)),
    );
  }

  /** As `FileWatch.isSettled`, for both. */
  get areSettled(): boolean {
    return this.#watches.every(({ isSettled }) => isSettled);
  }

  copy(): MaildirStamps {
    return new MaildirStamps(
      this.#paths,
      this.#watches.map((watch) => watch.copy()),
    );
  }

  /**
   * As `FileWatch.mayHaveChanged`, for either. Two stat calls. A link in a directory's place is a
   * change.
   *
   * @throws the system's error, ENOENT included: a directory that is missing is no empty one
   */
  haveChanged(): boolean {
    const [ofNew, ofCur] = this.#paths.map((path) => lstatSync(path, { bigint: true }));
    // Both must look, so that both remember.
    const changes = [ofNew, ofCur].map((stats, index) =>
      this.#watches[index]?.mayHaveChanged(stats),
    );
    return changes.includes(true);
  }
}
