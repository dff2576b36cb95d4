// The files of a Maildir's messages: opened, removed and renamed wherever they are now. A file that another program
// renames is followed by its base name.

import { closeSync, fstatSync, readSync } from 'node:fs';
import type { MaildirMessage, MaildirView } from './maildir-view.js';
import type { OpenMessage } from '../messages/maildrop.js';
import { MessageFileOpener } from './open-message-file.js';

/** A file that is renamed faster than it can be opened is looked for this often. */
const maxChases = 20;

export class MessageFiles {
  readonly #view: MaildirView;
  readonly #opener = new MessageFileOpener();

  constructor(view: MaildirView) {
    this.#view = view;
  }

  /**
   * Opens a message for reading; at once when its file is where it was.
   *
   * @returns null when the message is gone
   * @throws the system's error; Error for what is no regular file
   */
  open(message: MaildirMessage): OpenMessage | Promise<OpenMessage | null> | null {
    if (message.status === 'gone') return null;
    return this.tryOpen(message) ?? this.#chase(message, () => this.tryOpen(message));
  }

  /** @returns null when the file is not where it was. @throws as `open` */
  tryOpen(message: MaildirMessage): OpenMessage | null {
    const fd = this.#opener.tryOpen(this.#view.pathOf(message));
    if (fd === null) return null;
    let stats;
    try {
      stats = fstatSync(fd);
      if (!stats.isFile()) throw new Error('not a regular file');
    } catch (error) {
      closeRead(fd);
      throw error;
    }
    return {
      fileBytes: stats.size,
      read: (into) => readSync(fd, into, 0, into.length, null),
      close: () => closeRead(fd),
    };
  }

  /**
   * Reads a message that is smaller than a buffer, in as few system calls as can be.
   *
   * @returns its bytes; null when the file is not where it was, or may be larger. @throws the system's error
   */
  tryReadSmall(message: MaildirMessage, into: Buffer): Buffer | null {
    const fd = this.#opener.tryOpen(this.#view.pathOf(message));
    if (fd === null) return null;
    try {
      const length = readSync(fd, into, 0, into.length, null);
      // A regular file gives less than was asked for only at its end.
      return length < into.length ? into.subarray(0, length) : null;
    } finally {
      closeRead(fd);
    }
  }

  /** Does something to a message's file, wherever it is now. @returns false when it is gone, which is no error. @throws what `act` throws */
  async act(message: MaildirMessage, act: (path: Buffer) => void): Promise<boolean> {
    const attempt = (): true | null => {
      try {
        act(this.#view.pathOf(message));
        return true;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
        throw error;
      }
    };
    return (attempt() ?? (await this.#chase(message, attempt))) !== null;
  }

  /** Follows a file that was renamed, as often as it takes within reason. @returns null when it is gone */
  async #chase<T>(message: MaildirMessage, attempt: () => T | null): Promise<T | null> {
    for (let chases = 0; chases < maxChases; chases += 1) {
      await this.#view.rescan();
      if (message.status === 'gone') return null;
      const result = attempt();
      if (result !== null) return result;
    }
    throw new Error('the file is renamed faster than it can be followed');
  }
}

/** Closes what was only read: an error of close(2) then costs nothing, and the message that was read is as good as any. */
function closeRead(fd: number): void {
  try {
    closeSync(fd);
  } catch {
    // Linux has closed it all the same.
  }
}
