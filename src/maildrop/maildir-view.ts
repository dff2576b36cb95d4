// The live view of a Maildir: which of a session's messages are there, and under which names. No locks.
// Scans twice before it believes that a message is gone, because readdir misses files that are renamed meanwhile.

import { lstatSync } from 'node:fs';
import { baseNameOf, deliveryTimeOf } from '../maildir/base-name.js';
import { DirectoryStamp, scanDirectory, type Subdirectory } from '../maildir/scan.js';
import type { MessageRecord } from './maildrop.js';

/** A message of a session, with where its file is now. */
export interface MaildirMessage extends MessageRecord {
  /** latin1 bytes, like `name`. */
  readonly baseName: string;
  name: string;
  subdirectory: Subdirectory;
  /** Whether the octets were counted, and so are worth remembering; octets that the name says are not. */
  isCounted: boolean;
  /** The round of scans that last saw the file. */
  seenInRound: number;
}

/** A maildrop that is not to be served, such as a symbolic link in a directory's place. For `[SYS/PERM]`. */
export class MaildropRefused extends Error {}

/** Scans of one opening until the list is taken as it is; a Maildir that changes all the time must open too. */
const maxOpeningScans = 10;

/** A message that this many scans in a row did not see is gone, even when the directory changes all the time. */
const scansToBelieveAbsence = 3;

export class MaildirView {
  /** In order of delivery. */
  readonly messages: readonly MaildirMessage[];
  readonly #inbox: string;
  readonly #byBaseName: Map<string, MaildirMessage>;
  readonly #stamps: Stamps;
  #round = 0;

  private constructor(inbox: string, found: Map<string, MaildirMessage>, stamps: Stamps) {
    this.#inbox = inbox;
    this.#byBaseName = found;
    this.#stamps = stamps;
    this.messages = inOrderOfDelivery([...found.values()]);
  }

  /**
   * Scans until a scan adds nothing: the union of all of them is the session's list.
   *
   * @param inbox path as latin1 bytes
   * @returns null when there is no such Maildir at all
   * @throws MaildropRefused; the system's error when INBOX is there but not a whole Maildir that can be read
   */
  static async open(inbox: string): Promise<MaildirView | null> {
    if (!isDirectory(inbox)) return null;
    for (const subdirectory of ['new', 'cur']) {
      if (!isDirectory(`${inbox}/${subdirectory}`)) {
        throw new Error(`not a Maildir: it has no "${subdirectory}"`);
      }
    }
    const stamps = new Stamps(inbox);
    const found = new Map<string, MaildirMessage>();
    // Stamps are taken before a scan, never after the last one: a change behind a scan's back must show later.
    stamps.haveChanged();
    for (let scans = 1; ; scans += 1) {
      const countBefore = found.size;
      await scanMaildir(inbox, (subdirectory, name) => {
        const baseName = baseNameOf(name);
        const message = found.get(baseName);
        if (message === undefined) found.set(baseName, newMessage(baseName, subdirectory, name));
        else followRename(message, subdirectory, name);
      });
      if (scans === maxOpeningScans || (scans > 1 && found.size === countBefore)) break;
      // A stamp that stands still tells that nothing was renamed while the scan ran.
      if (!stamps.haveChanged()) break;
    }
    return new MaildirView(inbox, found, stamps);
  }

  /** Brings the messages up to date, with two stat calls when nothing changed. Throws, or rejects, as `open` does. */
  refresh(): undefined | Promise<void> {
    return this.#stamps.haveChanged() ? this.rescan() : undefined;
  }

  /** Scans until every message was seen or is believed to be gone. */
  async rescan(): Promise<void> {
    this.#round += 1;
    const round = this.#round;
    for (let scans = 1; ; scans += 1) {
      await scanMaildir(this.#inbox, (subdirectory, name) => {
        const message = this.#byBaseName.get(baseNameOf(name));
        if (message === undefined) return;
        followRename(message, subdirectory, name);
        message.seenInRound = round;
      });
      const missing = this.messages.filter(
        (message) => message.status !== 'gone' && message.seenInRound < round,
      );
      if (missing.length === 0) return;
      const isBelieved =
        scans >= scansToBelieveAbsence || (!this.#stamps.haveChanged() && scans > 1);
      if (isBelieved) {
        for (const message of missing) message.status = 'gone';
        return;
      }
    }
  }

  /** The path of a message's file as last seen, for a system call. */
  pathOf(message: MaildirMessage): Buffer {
    return Buffer.from(`${this.#inbox}/${message.subdirectory}/${message.name}`, 'latin1');
  }
}

/** The stamps of both directories. */
class Stamps {
  readonly #new: DirectoryStamp;
  readonly #cur: DirectoryStamp;

  constructor(inbox: string) {
    this.#new = new DirectoryStamp(`${inbox}/new`);
    this.#cur = new DirectoryStamp(`${inbox}/cur`);
  }

  haveChanged(): boolean {
    // Both must look, so that both remember.
    const hasNewChanged = this.#new.hasChanged();
    return this.#cur.hasChanged() || hasNewChanged;
  }
}

/** `new` first: mail moves from there to `cur`, and so is seen at least once. */
async function scanMaildir(
  inbox: string,
  visit: (subdirectory: Subdirectory, name: string) => void,
): Promise<void> {
  for (const subdirectory of ['new', 'cur'] as const) {
    await scanDirectory(`${inbox}/${subdirectory}`, (name) => visit(subdirectory, name));
  }
}

function newMessage(baseName: string, subdirectory: Subdirectory, name: string): MaildirMessage {
  return {
    baseName,
    name,
    subdirectory,
    status: 'present',
    octets: null,
    uniqueId: null,
    isCounted: false,
    seenInRound: 0,
  };
}

function followRename(message: MaildirMessage, subdirectory: Subdirectory, name: string): void {
  message.subdirectory = subdirectory;
  message.name = name;
}

/** By the time in the name; within the same microsecond by name, so that the order is the same in every session. */
function inOrderOfDelivery(messages: readonly MaildirMessage[]): readonly MaildirMessage[] {
  return messages
    .map((message) => ({ message, time: deliveryTimeOf(message.baseName) }))
    .sort(
      (a, b) =>
        compare(a.time.seconds, b.time.seconds) ||
        a.time.microseconds - b.time.microseconds ||
        compare(a.message.baseName, b.message.baseName),
    )
    .map(({ message }) => message);
}

function compare<T extends number | string>(a: T, b: T): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** @returns false when there is nothing of that name */
function isDirectory(path: string): boolean {
  let stats;
  try {
    stats = lstatSync(Buffer.from(path, 'latin1'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
  if (stats.isSymbolicLink()) throw new MaildropRefused(`${path} is a symbolic link`);
  if (!stats.isDirectory()) throw new Error(`${path} is not a directory`);
  return true;
}
