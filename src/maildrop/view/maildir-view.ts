// The live view of a Maildir: which of a session's messages are there, and under which names. No locks.
// Scans twice before it believes that a message is gone, because readdir misses files that are renamed meanwhile.

import { lstatSync } from 'node:fs';
import { baseNameOf, wireOctetsIn } from '../../maildir/base-name.js';
import type { Subdirectory } from '../../maildir/scan.js';
import { MaildirStamps } from './maildir-stamps.js';
import type { MessageRecord } from '../messages/maildrop.js';
import { areCounted, namedOctets, unknownOctets, type Octets } from '../messages/octets.js';
import {
  scanForOpening,
  scanMaildir,
  type FoundFiles,
  type SkippedEntries,
} from './opening-scan.js';
import { orderOfDelivery } from './order-of-delivery.js';
import { tinySteps, Turns } from '../../system/runtime/turns.js';

/** A message of a session, with where its file is now. */
export interface MaildirMessage extends MessageRecord {
  /** latin1 bytes, like `name`. */
  readonly baseName: string;
  name: string;
  subdirectory: Subdirectory;
  /** The round of scans that last saw the file. */
  seenInRound: number;
}

/** A Maildir as a scan found it: good for as long as its stamps stay the same. */
export interface MaildirSnapshot {
  readonly stamps: MaildirStamps;
  /** In order of delivery. Nobody changes them any more. */
  readonly messages: readonly MaildirMessage[];
  readonly skipped: SkippedEntries;
}

/** A maildrop that is not to be served, such as a symbolic link in a directory's place. For `[SYS/PERM]`. */
export class MaildropRefused extends Error {}

/** A message that this many scans in a row did not see is gone, even when the directory changes all the time. */
const scansToBelieveAbsence = 5;

export class MaildirView {
  /** In order of delivery. */
  readonly messages: readonly MaildirMessage[];
  /** As found when the list was made. */
  readonly skipped: SkippedEntries;
  readonly #inbox: string;
  readonly #stamps: MaildirStamps;
  /** As they were before the scan that made the list; null when they were too young to vouch for it. */
  readonly #stampsOfList: MaildirStamps | null;
  /** Made when it is first needed: most sessions never do. */
  #byBaseName: Map<string, MaildirMessage> | null = null;
  #round = 0;
  /** Where the messages were copied from. */
  readonly #origin: MaildirSnapshot | null;

  private constructor(
    inbox: string,
    stamps: MaildirStamps,
    messages: readonly MaildirMessage[],
    skipped: SkippedEntries,
    origin: MaildirSnapshot | null = null,
  ) {
    this.#inbox = inbox;
    this.#stamps = stamps;
    this.#stampsOfList = stamps.areSettled ? stamps.copy() : null;
    this.messages = messages;
    this.skipped = skipped;
    this.#origin = origin;
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
    if (snapshot !== null) {
      const stamps = snapshot.stamps.copy();
      // What has the same stamps was looked at before, and is the directories that it was.
      if (areAsBefore(stamps)) {
        const messages = await copied(snapshot.messages);
        return new MaildirView(inbox, stamps, messages, snapshot.skipped, snapshot);
      }
    }
    if (!isDirectory(inbox)) return null;
    for (const subdirectory of ['new', 'cur']) {
      if (!isDirectory(`${inbox}/${subdirectory}`)) {
        throw new Error(`not a Maildir: it has no "${subdirectory}"`);
      }
    }
    const stamps = MaildirStamps.of(inbox);
    // Stamps are taken before a scan, never after the last one: a change behind a scan's back must show later.
    stamps.haveChanged();
    const found = await scanForOpening(inbox, stamps);
    return new MaildirView(inbox, stamps, await listed(found), found.skipped);
  }

  /** What another session may begin with; null when the Maildir was changing. The messages are to be left alone then. */
  snapshot(): MaildirSnapshot | null {
    const isAsFound = this.#round === 0 && this.#stampsOfList !== null;
    if (!isAsFound) return null;
    // A young copy in the place of an old one would cost the garbage collector more than all else of a short session.
    if (this.#origin !== null && knowsAsMuch(this.#origin.messages, this.messages)) {
      return this.#origin;
    }
    return { stamps: this.#stampsOfList, messages: this.messages, skipped: this.skipped };
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

/** Messages in the order of delivery, made in that order: later walks over the list find them side by side in memory. */
async function listed({ names, subdirectories }: FoundFiles): Promise<readonly MaildirMessage[]> {
  const messages: MaildirMessage[] = [];
  const order = await orderOfDelivery(names);
  const turns = new Turns(tinySteps);
  for (let at = 0; at < order.length; at += 1) {
    const index = order[at] ?? 0;
    const name = names[index] ?? '';
    const subdirectory = subdirectories[index] ?? 'cur';
    const baseName = baseNameOf(name);
    const previous = messages.at(-1);
    // Two files with one base name are one message: the one seen last.
    if (previous?.baseName === baseName) followRename(previous, subdirectory, name);
    else messages.push(newMessage(baseName, subdirectory, name));
    if (turns.isOver()) await turns.next();
  }
  return messages;
}

function newMessage(baseName: string, subdirectory: Subdirectory, name: string): MaildirMessage {
  // Written out, here and in `copied`: spreading makes objects that are slower and three times as large.
  return {
    baseName,
    name,
    subdirectory,
    status: 'present',
    octets: octetsInName(baseName),
    uniqueId: null,
    seenInRound: 0,
  };
}

function octetsInName(baseName: string): Octets {
  const octets = wireOctetsIn(baseName);
  return octets === null ? unknownOctets : namedOctets(octets);
}

function followRename(message: MaildirMessage, subdirectory: Subdirectory, name: string): void {
  message.subdirectory = subdirectory;
  message.name = name;
}

async function copied(messages: readonly MaildirMessage[]): Promise<readonly MaildirMessage[]> {
  const turns = new Turns(tinySteps);
  const copies: MaildirMessage[] = [];
  for (const message of messages) {
    // A message that could not be read then may be read now.
    const octets = areCounted(message.octets) ? message.octets : octetsInName(message.baseName);
    copies.push({
      baseName: message.baseName,
      name: message.name,
      subdirectory: message.subdirectory,
      status: 'present',
      octets,
      uniqueId: message.uniqueId,
      seenInRound: 0,
    });
    if (turns.isOver()) await turns.next();
  }
  return copies;
}

/** Whether a session has learned nothing of its messages. @param before what `now` was copied from */
function knowsAsMuch(before: readonly MaildirMessage[], now: readonly MaildirMessage[]): boolean {
  return now.every((message, index) => {
    const original = before[index];
    return (
      message.status === 'present' &&
      message.octets === original?.octets &&
      message.uniqueId === original.uniqueId
    );
  });
}

/** @returns false also when they cannot be looked at: why is found out next */
function areAsBefore(stamps: MaildirStamps): boolean {
  try {
    return !stamps.haveChanged();
  } catch {
    return false;
  }
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
