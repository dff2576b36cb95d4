// The live view of a Maildir: which of a session's messages are there, and under which names. No locks.
// Scans twice before it believes that a message is gone, because readdir misses files that are renamed meanwhile.

import { lstatSync } from 'node:fs';
import { baseNameOf, deliveryTimeOf, type DeliveryTime } from '../maildir/base-name.js';
import { scanDirectory, type Subdirectory } from '../maildir/scan.js';
import { MaildirStamps } from './maildir-stamps.js';
import type { MessageRecord } from './maildrop.js';
import { sortInTurns } from './sort-in-turns.js';
import { Turns } from './turns.js';

/** A message of a session, with where its file is now. */
export interface MaildirMessage extends MessageRecord, DeliveryTime {
  /** latin1 bytes, like `name`. */
  readonly baseName: string;
  name: string;
  subdirectory: Subdirectory;
  /** Whether the octets were counted, and so are worth remembering; octets that the name says are not. */
  isCounted: boolean;
  /** The round of scans that last saw the file. */
  seenInRound: number;
}

/** A Maildir as a scan found it: good for as long as its stamps stay the same. */
export interface MaildirSnapshot {
  readonly stamps: MaildirStamps;
  /** In order of delivery. Nobody changes them any more. */
  readonly messages: readonly MaildirMessage[];
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
  readonly #stamps: MaildirStamps;
  /** As they were before the scan that made the list; null when they were too young to vouch for it. */
  readonly #stampsOfList: MaildirStamps | null;
  /** Made when it is first needed. */
  #byBaseName: Map<string, MaildirMessage> | null;
  #round = 0;

  private constructor(
    inbox: string,
    stamps: MaildirStamps,
    messages: readonly MaildirMessage[],
    byBaseName: Map<string, MaildirMessage> | null,
  ) {
    this.#inbox = inbox;
    this.#stamps = stamps;
    this.#stampsOfList = stamps.areSettled ? stamps.copy() : null;
    this.messages = messages;
    this.#byBaseName = byBaseName;
  }

  /**
   * Scans until a scan adds nothing: the union of all of them is the session's list. With a snapshot that is still good
   * there is nothing to scan.
   *
   * @param inbox path as latin1 bytes
   * @returns null when there is no such Maildir at all
   * @throws MaildropRefused; the system's error when INBOX is there but not a whole Maildir that can be read
   */
  static async open(inbox: string, snapshot: MaildirSnapshot | null): Promise<MaildirView | null> {
    if (!isDirectory(inbox)) return null;
    for (const subdirectory of ['new', 'cur']) {
      if (!isDirectory(`${inbox}/${subdirectory}`)) {
        throw new Error(`not a Maildir: it has no "${subdirectory}"`);
      }
    }
    const stamps = snapshot?.stamps.copy() ?? MaildirStamps.of(inbox);
    // Stamps are taken before a scan, never after the last one: a change behind a scan's back must show later.
    if (!stamps.haveChanged() && snapshot !== null) {
      return new MaildirView(inbox, stamps, await copied(snapshot.messages), null);
    }
    const found = new Map<string, MaildirMessage>();
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
    const messages = await sortInTurns([...found.values()], byDelivery);
    return new MaildirView(inbox, stamps, messages, found);
  }

  /** What another session may begin with; null when the Maildir was changing. The messages are to be left alone then. */
  snapshot(): MaildirSnapshot | null {
    const isAsFound = this.#round === 0 && this.#stampsOfList !== null;
    return isAsFound ? { stamps: this.#stampsOfList, messages: this.messages } : null;
  }

  /** The message of a base name, if the session has one. */
  async indexByBaseName(): Promise<ReadonlyMap<string, MaildirMessage>> {
    if (this.#byBaseName !== null) return this.#byBaseName;
    const byBaseName = new Map<string, MaildirMessage>();
    const turns = new Turns();
    for (const message of this.messages) {
      byBaseName.set(message.baseName, message);
      if (turns.isOver()) await turns.next();
    }
    this.#byBaseName = byBaseName;
    return byBaseName;
  }

  /** Brings the messages up to date, with two stat calls when nothing changed. Throws, or rejects, as `open` does. */
  refresh(): undefined | Promise<void> {
    return this.#stamps.haveChanged() ? this.rescan() : undefined;
  }

  /** Scans until every message was seen or is believed to be gone. */
  async rescan(): Promise<void> {
    this.#round += 1;
    const round = this.#round;
    const byBaseName = await this.indexByBaseName();
    for (let scans = 1; ; scans += 1) {
      await scanMaildir(this.#inbox, (subdirectory, name) => {
        const message = byBaseName.get(baseNameOf(name));
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
  // Written out, here and in `copied`: spreading makes objects that are slower and three times as large.
  const { seconds, microseconds } = deliveryTimeOf(baseName);
  return {
    seconds,
    microseconds,
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

async function copied(messages: readonly MaildirMessage[]): Promise<readonly MaildirMessage[]> {
  const turns = new Turns();
  const copies: MaildirMessage[] = [];
  for (const message of messages) {
    // Octets that were neither counted nor read from the name were a makeshift.
    const octets = message.isCounted ? message.octets : null;
    copies.push({
      seconds: message.seconds,
      microseconds: message.microseconds,
      baseName: message.baseName,
      name: message.name,
      subdirectory: message.subdirectory,
      status: 'present',
      octets,
      uniqueId: message.uniqueId,
      isCounted: message.isCounted,
      seenInRound: 0,
    });
    if (turns.isOver()) await turns.next();
  }
  return copies;
}

/** By the time in the name; within the same microsecond by name, so that the order is the same in every session. */
function byDelivery(a: MaildirMessage, b: MaildirMessage): number {
  return (
    compare(a.seconds, b.seconds) ||
    a.microseconds - b.microseconds ||
    compare(a.baseName, b.baseName)
  );
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
