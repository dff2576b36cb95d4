// Unique-ids that another server gave: from a list that it keeps in the Maildir, read without a
// lock while it may be rewriting it. What the list says in which format is another file's affair.

import { isUniqueId } from '../../wire/listing.js';
import type { Report } from '../octets/message-octets.js';
import { FileTooLarge, NotRegularFile } from '../../system/files/open-regular-file.js';
import { tryReadMaildirFile } from '../own-files/read-maildir-file.js';
import { Turns } from '../../system/runtime/turns.js';
import { hashOfBaseName, uniqueIdFromBaseName, type Identifiable } from './unique-ids.js';

export type ListedId = readonly [baseName: string, uniqueId: string];

/** One server's list of unique-ids. */
export interface UniqueIdListFormat {
  /** The file's name in the Maildir. */
  readonly fileName: string;
  /**
   * Base names (latin1 bytes) with their ids, in the file's order; a later entry for a base name
   * replaces an earlier one. A last line without its end is not whole yet. Null for a line that is
   * no entry: the caller may have to give way.
   *
   * @throws Error when the text is no such list; an empty one is none
   */
  readonly parse: (text: string) => Iterable<ListedId | null>;
  /** Whether that server might one day give such an id to some message. */
  readonly mayGive: (uniqueId: string) => boolean;
}

/** Two million messages. */
const maxFileBytes = 256 * 1024 * 1024;

/**
 * Gives messages the ids of a server's list. One that the list lacks, because that server has not
 * seen it yet, gets an id of its base name, or of its hash, that the server has not given and will
 * not give to another; a log line says so.
 *
 * @param directories where the list may be, latin1 bytes; the first that has it counts
 * @throws when there is a list that cannot be read or understood: made-up ids would have users
 *   download everything again
 */
export async function assignListedUniqueIds(
  directories: readonly string[],
  messages: readonly Identifiable[],
  format: UniqueIdListFormat,
  report: Report,
): Promise<void> {
  const text = readList(directories, format.fileName);
  const turns = new Turns();
  const listed = new Map<string, string>();
  for (const entry of text === null ? [] : format.parse(text)) {
    if (entry !== null) listed.set(entry[0], entry[1]);
    if (turns.isOver()) await turns.next();
  }
  const taken = new Set<string>();
  const unlisted: Identifiable[] = [];
  for (const message of messages) {
    const uniqueId = listed.get(message.baseName);
    if (uniqueId === undefined || !isUniqueId(uniqueId) || taken.has(uniqueId)) {
      unlisted.push(message);
    } else {
      taken.add(uniqueId);
      message.uniqueId = uniqueId;
    }
    if (turns.isOver()) await turns.next();
  }
  if (unlisted.length === 0) return;
  // Ids of messages that are no more: that server may still show them to its own clients.
  for (const uniqueId of listed.values()) {
    taken.add(uniqueId);
    if (turns.isOver()) await turns.next();
  }
  for (const message of unlisted) {
    message.uniqueId = madeUpId(message.baseName, (id) => taken.has(id) || format.mayGive(id));
    taken.add(message.uniqueId);
    if (turns.isOver()) await turns.next();
  }
  report('unique-ids-made-up', {
    count: unlisted.length,
    first: unlisted[0]?.baseName ?? '',
    why: text === null ? `there is no ${format.fileName}` : `not in ${format.fileName} yet`,
  });
}

/** @returns latin1 text; null when there is no such file in any of the directories */
function readList(directories: readonly string[], fileName: string): string | null {
  for (const directory of directories) {
    const text = tryReadList(directory, fileName);
    if (text !== null) return text;
  }
  return null;
}

function tryReadList(directory: string, fileName: string): string | null {
  try {
    return tryReadMaildirFile(directory, fileName, maxFileBytes);
  } catch (error) {
    // Of a control directory that Dovecot has not made yet.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    if (!(error instanceof NotRegularFile || error instanceof FileTooLarge)) throw error;
    throw new Error(`${directory}/${fileName} ${error.message}`, { cause: error });
  }
}

function madeUpId(baseName: string, isTaken: (uniqueId: string) => boolean): string {
  let uniqueId = uniqueIdFromBaseName(baseName);
  for (let round = 0; isTaken(uniqueId); round += 1) uniqueId = hashOfBaseName(baseName, round);
  return uniqueId;
}
