// The files of a Maildir's messages: opened, removed and renamed wherever they are now. A file that
// another program renames is followed by its base name.

import { closeSync, fstatSync, readSync } from 'node:fs';
import type { MaildirMessage } from './message-list.js';
import type { LiveView } from './live-view.js';
import type { ShouldStop } from '../messages/counting-stopped.js';
import type { OpenMessage } from '../messages/maildrop.js';
import { maxMagicBytes, packingOf, type Packing } from '../packed/packing.js';
import { MessageFileOpener } from './open-message-file.js';
import { StoredText } from './stored-text.js';

/** A file that is renamed faster than it can be opened is looked for this often. */
const maxChases = 20;

export class MessageFiles {
  readonly #view: LiveView;
  readonly #shouldStop: ShouldStop;
  readonly #opener = new MessageFileOpener();
  /** Messages that are not stored as text, with the size of their text. */
  readonly #packed = new Map<MaildirMessage, number>();

  /** @param shouldStop asked while a large compressed message is unpacked to learn its size */
  constructor(view: LiveView, shouldStop: ShouldStop) {
    this.#view = view;
    this.#shouldStop = shouldStop;
  }

  /**
   * Opens a message for reading; at once when its file is where it was.
   *
   * @returns null when the message is gone
   * @throws UnservableMessage; CountingStopped; the system's error; Error for what is no regular
   *   file or is compressed and damaged
   */
  open(message: MaildirMessage): OpenMessage | Promise<OpenMessage | null> | null {
    if (message.status === 'gone') return null;
    return this.tryOpen(message) ?? this.#chase(message, () => this.tryOpen(message));
  }

  /** @returns null when the file is not where it was. @throws as `open` */
  tryOpen(message: MaildirMessage): OpenMessage | Promise<OpenMessage> | null {
    const fd = this.#opener.tryOpen(this.#view.pathOf(message));
    if (fd === null) return null;
    const close = (): void => closeRead(fd);
    try {
      const stats = fstatSync(fd);
      if (!stats.isFile()) throw new Error('not a regular file');
      const text = new StoredText(fd, stats.size, close);
      const packing = packingOf(text.start());
      return packing === null ? text : this.#openPacked(message, text, packing);
    } catch (error) {
      close();
      throw error;
    }
  }

  /** @throws UnservableMessage for a message that can never be read; the system's error */
  async requireServable(message: MaildirMessage): Promise<void> {
    const found: Packing[] = [];
    await this.act(message, (path) => {
      const packing = this.#packingAt(path);
      if (packing !== null) found.push(packing);
    });
    if (found.length === 0) return;
    const { requireUnpackable } = await import('../packed/unpack.js');
    for (const packing of found) requireUnpackable(packing);
  }

  #packingAt(path: Buffer): Packing | null {
    const fd = this.#opener.tryOpen(path);
    if (fd === null) throw Object.assign(new Error('the file moved'), { code: 'ENOENT' });
    try {
      const start = Buffer.alloc(maxMagicBytes);
      return packingOf(start.subarray(0, readSync(fd, start, 0, start.length, 0)));
    } finally {
      closeRead(fd);
    }
  }

  async #openPacked(
    message: MaildirMessage,
    file: StoredText,
    packing: Packing,
  ): Promise<OpenMessage> {
    try {
      // Most processes never need it.
      const { openPacked } = await import('../packed/unpack.js');
      const text = await openPacked(file, packing, {
        knownBytes: this.#packed.get(message),
        shouldStop: this.#shouldStop,
      });
      this.#packed.set(message, text.fileBytes);
      return text;
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /**
   * Reads a message that is smaller than a buffer, in as few system calls as can be.
   *
   * @returns its bytes; null when the file is not where it was, or may be larger or compressed.
   *   @throws the system's error
   */
  tryReadSmall(message: MaildirMessage, into: Buffer): Buffer | null {
    const fd = this.#opener.tryOpen(this.#view.pathOf(message));
    if (fd === null) return null;
    try {
      const length = readSync(fd, into, 0, into.length, null);
      // A regular file gives less than was asked for only at its end.
      const bytes = into.subarray(0, length);
      return length < into.length && packingOf(bytes) === null ? bytes : null;
    } finally {
      closeRead(fd);
    }
  }

  /**
   * Does something to a message's file, wherever it is now.
   *
   * @returns false when it is gone, which is no error.
   * @throws what `act` throws
   */
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

  /**
   * Follows a file that was renamed, as often as it takes within reason.
   *
   * @returns null when it is gone
   */
  async #chase<T>(
    message: MaildirMessage,
    attempt: () => T | Promise<T> | null,
  ): Promise<T | null> {
    for (let chases = 0; chases < maxChases; chases += 1) {
      await this.#view.rescan();
      if (message.status === 'gone') return null;
      const result = attempt();
      if (result !== null) return result;
    }
    throw new Error('the file is renamed faster than it can be followed');
  }
}

/**
 * Closes what was only read: an error of close(2) then costs nothing, and the message that was read
 * is as good as any.
 */
function closeRead(fd: number): void {
  try {
    closeSync(fd);
  } catch {
    // Linux has closed it all the same.
  }
}
