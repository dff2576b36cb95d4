// When a message counts as gone, as if this client had sent DELE: its base name was in none of
// several scans. One is not enough, because readdir misses files that are renamed meanwhile.

import { baseNameOf } from '../../maildir/base-name.js';
import type { MaildirFolders } from '../place/maildir-folders.js';
import type { MaildirStamps } from './maildir-stamps.js';
import { followRename, type MaildirMessage } from './message-list.js';
import { scanMaildir } from './opening-scan.js';

/** After so many scans absence is believed even when the directory changes all the time. */
const scansToBelieveAbsence = 5;

export interface Search {
  readonly byBaseName: ReadonlyMap<string, MaildirMessage>;
  readonly folders: MaildirFolders;
  readonly stamps: MaildirStamps;
  /** Greater than that of any search before, over the same messages. */
  readonly round: number;
}

/**
 * Scans until each message was seen, under whatever name, or is believed to be gone. Rejects with
 * what a scan fails with: then nothing is believed.
 */
export async function markGone(
  messages: readonly MaildirMessage[],
  { byBaseName, folders, stamps, round }: Search,
): Promise<void> {
  for (let scans = 1; ; scans += 1) {
    await scanMaildir(folders, (subdirectory, name) => {
      const message = byBaseName.get(baseNameOf(name));
      if (message === undefined) return;
      followRename(message, subdirectory, name);
      message.seenInRound = round;
    });
    const missing = messages.filter(
      (message) => message.status !== 'gone' && message.seenInRound < round,
    );
    if (missing.length === 0) return;
    const isBelieved = scans >= scansToBelieveAbsence || (!stamps.haveChanged() && scans > 1);
    if (!isBelieved) continue;
    for (const message of missing) message.status = 'gone';
    return;
  }
}
