// The list of a session's messages: made from the files that a scan found, or copied from the list
// of an earlier session.

import { lstatSync, type BigIntStats } from 'node:fs';
import { baseNameOf, wireOctetsIn } from '../../maildir/base-name.js';
import type { Subdirectory } from '../../maildir/scan.js';
import { tinySteps, Turns } from '../../system/runtime/turns.js';
import type { MessageRecord } from '../messages/maildrop.js';
import { areCounted, namedOctets, unknownOctets } from '../messages/octets.js';
import type { MaildirFolders } from '../place/maildir-folders.js';
import type { MaildirStamps } from './maildir-stamps.js';
import type { FoundFiles, SkippedEntries } from './opening-scan.js';
import { orderOfDelivery } from './order-of-delivery.js';

/** A message of a session, with where its file is now. */
export interface MaildirMessage extends MessageRecord {
  /** latin1 bytes, like `name`. */
  readonly baseName: string;
  name: string;
  subdirectory: Subdirectory;
  /** The round of scans that last saw the file. */
  seenInRound: number;
}

/** What a Maildir holds, as far as a session is concerned. */
export interface MessageList {
  /** In order of delivery. */
  readonly messages: readonly MaildirMessage[];
  /** Entries that are no messages. */
  readonly skipped: SkippedEntries;
  /** Files that have the base name of another, which is the message. */
  readonly hidden: SkippedEntries;
}

/**
 * A list that later sessions may copy for as long as its stamps stay the same. Nobody changes the
 * messages any more.
 */
export interface MaildirSnapshot extends MessageList {
  readonly stamps: MaildirStamps;
}

/**
 * Makes the messages in the order of delivery: later walks over the list then find them side by
 * side in memory.
 */
export async function listMessages(
  { names, subdirectories, skipped }: FoundFiles,
  folders: MaildirFolders,
): Promise<MessageList> {
  const messages: MaildirMessage[] = [];
  const others: MessageFile[] = [];
  const order = await orderOfDelivery(names);
  const turns = new Turns(tinySteps);
  for (const index of order) {
    const name = names[index] ?? '';
    const subdirectory = subdirectories[index] ?? 'cur';
    const baseName = baseNameOf(name);
    const previous = messages.at(-1);
    // Two files with one base name are one message: the one seen last.
    if (previous?.baseName === baseName) {
      others.push({ message: previous, subdirectory: previous.subdirectory, name: previous.name });
      followRename(previous, subdirectory, name);
    } else messages.push(newMessage(baseName, subdirectory, name));
    if (turns.isOver()) await turns.next();
  }
  return { messages, skipped, hidden: await hiddenAmong(others, folders) };
}

/** Another file with a message's base name, or an earlier name of its file. */
interface MessageFile {
  readonly message: MaildirMessage;
  readonly subdirectory: Subdirectory;
  readonly name: string;
}

/**
 * @returns those that are files of their own: not renamed since, and no further links to the
 *   message's file
 */
async function hiddenAmong(
  others: readonly MessageFile[],
  folders: MaildirFolders,
): Promise<SkippedEntries> {
  const hidden = { count: 0, example: '' };
  const turns = new Turns();
  for (const { message, subdirectory, name } of others) {
    const other = tryLstat(folders.pathOf(subdirectory, name));
    const served = tryLstat(folders.pathOf(message.subdirectory, message.name));
    if (other !== undefined && served !== undefined && other.ino !== served.ino) {
      if (hidden.count === 0) hidden.example = `${subdirectory}/${name}`;
      hidden.count += 1;
    }
    if (turns.isOver()) await turns.next();
  }
  return hidden;
}

/** @returns undefined when there is nothing */
function tryLstat(path: Buffer): BigIntStats | undefined {
  return lstatSync(path, { bigint: true, throwIfNoEntry: false });
}

/** The messages of an earlier session as a new one may know them. */
export async function copyMessages(
  messages: readonly MaildirMessage[],
): Promise<readonly MaildirMessage[]> {
  const turns = new Turns(tinySteps);
  const copies: MaildirMessage[] = [];
  for (const message of messages) {
    const copy = newMessage(message.baseName, message.subdirectory, message.name);
    copy.uniqueId = message.uniqueId;
    // A message that could not be read then may be read now.
    if (areCounted(message.octets)) copy.octets = message.octets;
    copies.push(copy);
    if (turns.isOver()) await turns.next();
  }
  return copies;
}

/**
 * Whether a session has learned nothing of its messages.
 *
 * @param before what `now` was copied from
 */
export function knowsAsMuch(
  before: readonly MaildirMessage[],
  now: readonly MaildirMessage[],
): boolean {
  return now.every((message, index) => {
    const original = before[index];
    return (
      message.status === 'present' &&
      message.octets === original?.octets &&
      message.uniqueId === original.uniqueId
    );
  });
}

export function followRename(
  message: MaildirMessage,
  subdirectory: Subdirectory,
  name: string,
): void {
  message.subdirectory = subdirectory;
  message.name = name;
}

function newMessage(baseName: string, subdirectory: Subdirectory, name: string): MaildirMessage {
  const octets = wireOctetsIn(baseName);
  return {
    baseName,
    name,
    subdirectory,
    status: 'present',
    octets: octets === null ? unknownOctets : namedOctets(octets),
    uniqueId: null,
    seenInRound: 0,
  };
}
