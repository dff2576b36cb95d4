// Opens the files of messages as a directory shared with others demands: never through a link,
// never waiting for a FIFO's writer.

import { constants, openSync } from 'node:fs';

/**
 * Without O_NOATIME the first read of each message would be a write to the disk as well. Only its
 * owner may ask for that.
 */
const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_NOATIME } = constants;
const plainFlags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;

export class MessageFileOpener {
  /** O_NOATIME is Linux's only. */
  #flags = plainFlags | ((O_NOATIME as number | undefined) ?? 0);

  /**
   * @returns a descriptor; null when there is nothing of that name.
   *
   * @throws the system's error, ELOOP for a link
   */
  tryOpen(path: Buffer): number | null {
    try {
      return openSync(path, this.#flags);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return null;
      if (code !== 'EPERM' || this.#flags === plainFlags) throw error;
      this.#flags = plainFlags;
      return this.tryOpen(path);
    }
  }
}
