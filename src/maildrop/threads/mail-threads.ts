// The threads for mail of a process: a few for each mounted file system, so that one that does not
// answer holds up its own sessions only.

import { createHash } from 'node:crypto';
import type { Maildrop } from '../messages/maildrop.js';
import type { MaildropSettings, MaildropUser } from '../opened/open-place.js';
import { wasStartedAsRoot, type Owner } from '../place/maildrop-owner.js';
import { mountOf } from '../../system/files/mounts.js';
import { MailThreadHandle } from './mail-thread-handle.js';
import { ThreadedMaildrop } from './threaded-maildrop.js';

/** Calls on one file system that are made at a time. */
const threadsForMount = 4;

/** Each takes some megabytes. */
const maxThreads = 32;

/** A quarter of what a process without threads remembers. */
const rememberedMessages = 50_000;

export class MailThreads {
  readonly #sessions: 'one' | 'many';
  /** By mount point and number. */
  readonly #threads = new Map<string, MailThreadHandle>();
  #nextMaildrop = 0;

  /** @param sessions `many`: maildrops that were open are remembered */
  constructor(sessions: 'one' | 'many') {
    this.#sessions = sessions;
  }

  /**
   * Opens a maildrop, all of whose files are left to a thread.
   *
   * @param takeRights called with the owner before the maildrop is opened, where this process was
   *   started as root; may throw
   * @throws as `openPlace`, `ownerOf` and `takeRights`; Error when the file system did not answer
   *   for some seconds
   */
  async open(
    settings: MaildropSettings,
    user: MaildropUser,
    takeRights: (owner: Owner) => void,
  ): Promise<Maildrop> {
    const { place } = settings;
    const thread = this.#threadFor(place.path);
    const maildrop = new ThreadedMaildrop(thread, this.#nextMaildrop++, user);
    try {
      if (wasStartedAsRoot()) takeRights(await maildrop.findOwner(place));
      await maildrop.openPlace(settings);
      return maildrop;
    } catch (error) {
      maildrop.abandon();
      throw error;
    }
  }

  /** The same for each session of a maildrop, because it may remember it. */
  #threadFor(path: string): MailThreadHandle {
    const [first = 0] = createHash('sha256').update(path, 'latin1').digest();
    const key = `${mountOf(path)?.point ?? ''}\0${first % threadsForMount}`;
    const known = this.#threads.get(key);
    if (known?.hasEnded === false) return known;
    this.#threads.delete(key);
    if (this.#threads.size >= maxThreads) this.#endOneThatIsIdle();
    const remembers = this.#sessions === 'many';
    const thread = new MailThreadHandle({
      rememberedMessages: remembers ? rememberedMessages : 0,
    });
    this.#threads.set(key, thread);
    return thread;
  }

  #endOneThatIsIdle(): void {
    for (const [key, thread] of this.#threads) {
      if (!thread.isIdle) continue;
      this.#threads.delete(key);
      thread.end();
      return;
    }
    throw new Error('maildrops of too many file systems are open');
  }
}
