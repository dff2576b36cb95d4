// The list of a session's messages: made from the files that a scan found, or copied from the list of an earlier session.

import { baseNameOf, wireOctetsIn } from '../../maildir/base-name.js';
import type { Subdirectory } from '../../maildir/scan.js';
import { tinySteps, Turns } from '../../system/runtime/turns.js';
import type { MessageRecord } from '../messages/maildrop.js';
import { areCounted, namedOctets, unknownOctets } from '../messages/octets.js';
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

/** A list that later sessions may copy for as long as its stamps stay the same. */
export interface MaildirSnapshot {
  readonly stamps: MaildirStamps;
  /** In order of delivery. Nobody changes them any more. */
  readonly messages: readonly MaildirMessage[];
  readonly skipped: SkippedEntries;
}

/** Makes the messages in the order of delivery: later walks over the list then find them side by side in memory. */
export async function listMessages({
  names,
  subdirectories,
}: FoundFiles): Promise<readonly MaildirMessage[]> {
  const messages: MaildirMessage[] = [];
  const order = await orderOfDelivery(names);
  const turns = new Turns(tinySteps);
  for (const index of order) {
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

/** Whether a session has learned nothing of its messages. @param before what `now` was copied from */
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
