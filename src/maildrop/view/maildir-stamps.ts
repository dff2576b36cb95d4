// Whether a Maildir changed since it was last scanned: the stamps of `new` and `cur` together.

import { DirectoryStamp } from '../../maildir/scan.js';

export class MaildirStamps {
  readonly #new: DirectoryStamp;
  readonly #cur: DirectoryStamp;

  private constructor(stampOfNew: DirectoryStamp, stampOfCur: DirectoryStamp) {
    this.#new = stampOfNew;
    this.#cur = stampOfCur;
  }

  /** Stamps that remember nothing yet. @param inbox path as latin1 bytes */
  static of(inbox: string): MaildirStamps {
    return new MaildirStamps(
      new DirectoryStamp(`${inbox}/new`),
      new DirectoryStamp(`${inbox}/cur`),
    );
  }

  /** As `DirectoryStamp.isSettled`, for both. */
  get areSettled(): boolean {
    return this.#new.isSettled && this.#cur.isSettled;
  }

  copy(): MaildirStamps {
    return new MaildirStamps(this.#new.copy(), this.#cur.copy());
  }

  /** As `DirectoryStamp.hasChanged`, for either. Two stat calls. */
  haveChanged(): boolean {
    // Both must look, so that both remember.
    const hasNewChanged = this.#new.hasChanged();
    return this.#cur.hasChanged() || hasNewChanged;
  }
}
