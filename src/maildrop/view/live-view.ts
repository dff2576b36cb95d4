// The live view of a Maildir: which of a session's messages are there, and under which names. No
// locks.

import { tinySteps, Turns } from '../../system/runtime/turns.js';
import type { Folder, MaildirFolders } from '../place/maildir-folders.js';
import { markGone } from './gone-messages.js';
import { MaildirStamps } from './maildir-stamps.js';
import {
  copyMessages,
  knowsAsMuch,
  listMessages,
  type MaildirMessage,
  type MaildirSnapshot,
  type MessageList,
} from './message-list.js';
import { scanForOpening } from './opening-scan.js';

/** Whether a directory is for a Maildir only, or the one in which all of a user's things are. */
export type DirectoryKind = 'maildir' | 'users-directory';

export class LiveView {
  readonly list: MessageList;
  readonly messages: readonly MaildirMessage[];
  readonly #folders: MaildirFolders;
  readonly #stamps: MaildirStamps;
  /**
   * The list as it was when the session began; null when the stamps were so recent that a later
   * change need not show in them.
   */
  readonly #beginning: MaildirSnapshot | null;
  /** Made when it is first needed: most sessions never do. */
  #byBaseName: Map<string, MaildirMessage> | null = null;
  /** How often the Maildir was scanned again. */
  #round = 0;

  private constructor(
    folders: MaildirFolders,
    stamps: MaildirStamps,
    list: MessageList,
    beginning: MaildirSnapshot | null,
  ) {
    this.#folders = folders;
    this.#stamps = stamps;
    this.list = list;
    this.messages = list.messages;
    this.#beginning = beginning;
  }

  /**
   * Scans until a scan adds nothing: the union of all of them is the session's list. With a
   * snapshot that is still good there is nothing to scan.
   *
   * @param kind `users-directory`: a directory without anything of a Maildir may hold other things
   *   of a user who has no mail yet
   * @returns null when there is no such Maildir at all
   * @throws MaildropRefused; the system's error; Error when INBOX is there but not a whole Maildir
   *   that can be read
   */
  static async open(
    folders: MaildirFolders,
    snapshot: MaildirSnapshot | undefined,
    kind: DirectoryKind = 'maildir',
  ): Promise<LiveView | null> {
    if (snapshot !== undefined) {
      const stamps = snapshot.stamps.copy();
      if (areAsBefore(stamps)) {
        const messages = await copyMessages(snapshot.messages);
        return new LiveView(folders, stamps, { ...snapshot, messages }, snapshot);
      }
    }
    if (!isMaildir(folders, kind)) return null;
    const stamps = MaildirStamps.of(folders.inbox);
    // Stamps are taken before a scan, never after the last one: a change during the scan must show
    // later.
    stamps.haveChanged();
    const found = await scanForOpening(folders, stamps);
    const settled = stamps.areSettled ? stamps.copy() : null;
    const list = await listMessages(found, folders);
    return new LiveView(folders, stamps, list, settled && { ...list, stamps: settled });
  }

  /**
   * The list that a later session may begin with; null when the Maildir was changing. Nobody may
   * change its messages afterwards.
   */
  snapshot(): MaildirSnapshot | null {
    const beginning = this.#beginning;
    if (beginning === null || this.#round > 0) return null;
    // When nothing changed, the same object is kept: with a new one for each session the garbage
    // collector would take longer than the rest of a short session.
    if (knowsAsMuch(beginning.messages, this.messages)) return beginning;
    return { ...beginning, messages: this.messages };
  }

  /** The message of a base name, if the session has one. */
  async indexByBaseName(): Promise<ReadonlyMap<string, MaildirMessage>> {
    if (this.#byBaseName !== null) return this.#byBaseName;
    const byBaseName = new Map<string, MaildirMessage>();
    const turns = new Turns(tinySteps);
    for (const message of this.messages) {
      byBaseName.set(message.baseName, message);
      if (turns.isOver()) await turns.next();
    }
    this.#byBaseName = byBaseName;
    return byBaseName;
  }

  /**
   * Brings the messages up to date, with two stat calls when nothing changed. Throws, or rejects,
   * as `open` does.
   */
  refresh(): undefined | Promise<void> {
    return this.#stamps.haveChanged() ? this.rescan() : undefined;
  }

  /** Scans until every message was seen or is believed to be gone. */
  async rescan(): Promise<void> {
    this.#round += 1;
    // Another directory may be in the place of one that is open.
    this.#folders.release();
    await markGone(this.messages, {
      byBaseName: await this.indexByBaseName(),
      ...{ folders: this.#folders, stamps: this.#stamps, round: this.#round },
    });
  }

  /**
   * The path of a message's file as last seen, for a system call that is made before anything is
   * awaited.
   */
  pathOf({ subdirectory, name }: MaildirMessage): Buffer {
    return this.#folders.pathOf(subdirectory, name);
  }
}

/** @returns false also when they cannot be looked at: why is found out next */
function areAsBefore(stamps: MaildirStamps): boolean {
  try {
    return !stamps.haveChanged();
  } catch {
    return false;
  }
}

/** @returns false when there is nothing of that name. @throws as `open` */
function isMaildir(folders: MaildirFolders, kind: DirectoryKind): boolean {
  if (!isThere(folders, '.')) return false;
  const missing = (['new', 'cur'] as const).filter((folder) => !isThere(folders, folder));
  const [first] = missing;
  if (first === undefined) return true;
  if (missing.length === 2 && kind === 'users-directory' && !isThere(folders, 'tmp')) return false;
  throw new Error(`not a Maildir: it has no "${first}"`);
}

function isThere(folders: MaildirFolders, folder: Folder): boolean {
  try {
    folders.pathOf(folder, '');
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
