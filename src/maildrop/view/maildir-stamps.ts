// Whether a Maildir changed since it was last scanned: the stamps of `new` and `cur` together.

import { lstatSync } from 'node:fs';
import { FileWatch } from '../../system/files/file-stamp.js';

const exactly = { bigint: true } as const;

export class MaildirStamps {
  readonly #new: WatchedFolder;
  readonly #cur: WatchedFolder;

  private constructor(ofNew: WatchedFolder, ofCur: WatchedFolder) {
    this.#new = ofNew;
    this.#cur = ofCur;
  }

  /** Stamps that remember nothing yet. @param inbox latin1 bytes */
  static of(inbox: string): MaildirStamps {
    return new MaildirStamps(watchFolder(`${inbox}/new`), watchFolder(`${inbox}/cur`));
  }

  /** As `FileWatch.isSettled`, for both. */
  get areSettled(): boolean {
    return this.#new.watch.isSettled && this.#cur.watch.isSettled;
  }

  copy(): MaildirStamps {
    return new MaildirStamps(copyOf(this.#new), copyOf(this.#cur));
  }

  /**
   * As `FileWatch.mayHaveChanged`, for either. Two stat calls. A link in a directory's place is a
   * change.
   *
   * @throws the system's error, ENOENT included: a directory that is missing is no empty one
   */
  haveChanged(): boolean {
    const ofNew = lstatSync(this.#new.path, exactly);
    const ofCur = lstatSync(this.#cur.path, exactly);
    // Both must look, so that both remember.
    const hasNewChanged = this.#new.watch.mayHaveChanged(ofNew);
    return this.#cur.watch.mayHaveChanged(ofCur) || hasNewChanged;
  }
}

interface WatchedFolder {
  readonly path: Buffer;
  readonly watch: FileWatch;
}

/** @param path latin1 bytes */
function watchFolder(path: string): WatchedFolder {
  const bytes = Buffer.from(path, 'latin1');
  return { path: bytes, watch: new FileWatch(bytes) };
}

function copyOf({ path, watch }: WatchedFolder): WatchedFolder {
  return { path, watch: watch.copy() };
}
