// Removes the messages that are marked, in UPDATE. RFC 1939 §6.

import { lstatSync, unlinkSync, type Stats } from 'node:fs';
import { baseNameOf } from '../../maildir/base-name.js';
import type { MaildirMessage } from '../view/message-list.js';
import type { MaildirFolders } from '../place/maildir-folders.js';
import type { RemovalResult } from '../messages/maildrop.js';
import { quotaBytesOf } from '../own-files/maildir-quota.js';
import type { MessageFiles } from '../view/message-files.js';
import { scanMaildir } from '../view/opening-scan.js';
import { Turns } from '../../system/runtime/turns.js';

/** A message whose file has another name somewhere. */
interface Linked {
  readonly message: MaildirMessage;
  readonly stats: Stats;
}

export interface MaildirRemoval extends RemovalResult {
  /** What the removed messages count for in a quota. */
  readonly quotaBytes: number;
}

/**
 * Removes each marked message: its file, and any other name that the same file has in the Maildir
 * under the same base name, as a delivery by link(2) leaves it that was cut short. Another file
 * with that base name is another message's.
 *
 * @returns what is gone now, and why the others are not; those that were gone before are in neither
 *   list
 */
export async function removeMarked(
  folders: MaildirFolders,
  messages: readonly MaildirMessage[],
  files: MessageFiles,
): Promise<MaildirRemoval> {
  /** With the bytes that each counts for in a quota. */
  const removed = new Map<MaildirMessage, number>();
  let bytes = 0;
  const failures: { record: MaildirMessage; error: Error }[] = [];
  const linked = new Map<string, Linked>();
  const turns = new Turns();
  for (const message of messages) {
    if (message.status !== 'marked') continue;
    try {
      const isOurs = await files.act(message, (path) => {
        const stats = lstatSync(path);
        unlinkSync(path);
        bytes = quotaBytesOf(message.baseName, stats.size);
        // In the Maildir or, for most of them, in a backup.
        if (stats.nlink > 1) linked.set(message.baseName, { message, stats });
      });
      message.status = 'gone';
      if (isOurs) removed.set(message, bytes);
    } catch (error) {
      failures.push({ record: message, error: error as Error });
    }
    if (turns.isOver()) await turns.next();
  }
  const fail = (message: MaildirMessage, error: unknown): void => {
    // Another name of it is still there.
    message.status = 'marked';
    removed.delete(message);
    failures.push({ record: message, error: error as Error });
  };
  if (linked.size > 0) await removeOtherNames(folders, linked, fail);
  const quotaBytes = [...removed.values()].reduce((sum, each) => sum + each, 0);
  return { removed: [...removed.keys()], failures, quotaBytes };
}

async function removeOtherNames(
  folders: MaildirFolders,
  linked: ReadonlyMap<string, Linked>,
  fail: (message: MaildirMessage, error: unknown) => void,
): Promise<void> {
  try {
    await scanMaildir(folders, (subdirectory, name) => {
      const found = linked.get(baseNameOf(name));
      if (found === undefined) return;
      try {
        const path = folders.pathOf(subdirectory, name);
        const { dev, ino } = lstatSync(path);
        if (dev === found.stats.dev && ino === found.stats.ino) unlinkSync(path);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') fail(found.message, error);
      }
    });
  } catch (error) {
    for (const { message } of linked.values()) {
      if (message.status === 'gone') fail(message, error);
    }
  }
}
