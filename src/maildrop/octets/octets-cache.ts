// The file `pop3d.octets` in a Maildir: octets that were counted once, so that they need not be
// counted again. Text, replaced by rename. Losing it, or failing to write it, costs time and
// nothing else: pop3d.octets(5).

import { unlinkSync } from 'node:fs';
import { escapeBaseName, unescapeBaseName } from '../own-files/base-name-text.js';
import { tryReadMaildirFile } from '../own-files/read-maildir-file.js';
import { tinySteps, Turns } from '../../system/runtime/turns.js';

export const octetsCacheName = 'pop3d.octets';
/** A file that earlier versions kept. */
const formerFileName = 'pop3d.unique-ids';

const header = 'pop3d.octets 1';
/** The longest entry: a base name of 255 bytes, all of them escaped, and its octets. */
const maxEntryBytes = 800;
/**
 * A file is read that has this many entries more than there are messages; a larger one is not worth
 * its memory.
 */
const maxSurplusEntries = 20_000;
const maxFileBytes = 256 * 1024 * 1024;
const linesPerWrite = 2000;
const maxOctetsDigits = 15;

/**
 * Messages that other programs removed leave entries in the cache, and new ones have none: so many
 * are skipped.
 */
const maxStepsAhead = 4;

const space = 0x20;
const zero = 0x30;
const nine = 0x39;

export type OctetsEntry = readonly [baseName: string, octets: number];

/** Who wants to know what is remembered. */
export interface OctetsCacheVisitor<T> {
  /** The messages in the order in which the cache was probably written. */
  readonly messages: readonly T[];
  /** An entry is this message's. */
  readonly found: (message: T, octets: number) => void;
  /** An entry is another's, or stands elsewhere in the order: a base name (latin1) and octets. */
  readonly other: (baseName: string, octets: number) => void;
}

/**
 * Reads the cache and visits each entry. A file that is missing, foreign, or has not the number of
 * lines that it says visits nothing: where a piece is missing, half a line could look like
 * another's. One that is damaged within a line visits what stands before it.
 *
 * @param inbox the Maildir, latin1 bytes
 * @param visitor the number of its messages bounds the size of a file that is read
 * @returns the number of entries, for judging whether a new file is worth writing
 */
export async function readOctetsCache<T extends { readonly baseName: string }>(
  inbox: string,
  { messages, found, other }: OctetsCacheVisitor<T>,
): Promise<number> {
  const maxBytes = Math.min((messages.length + maxSurplusEntries) * maxEntryBytes, maxFileBytes);
  const text = tryRead(inbox, maxBytes);
  if (text === null || !text.startsWith(`${header}\n`)) return 0;
  const turns = new Turns(tinySteps);
  const end = text.lastIndexOf('\nend ');
  if (end === -1 || text.slice(end) !== `\nend ${await countLines(text, end, turns)}\n`) return 0;
  let count = 0;
  let next = 0;
  let start = header.length + 1;
  while (start <= end) {
    const stop = text.indexOf('\n', start);
    const octets = octetsAt(text, start, stop);
    if (octets === null) return count;
    const nameAt = text.indexOf(' ', start) + 1;
    const index = indexOfEntry(messages, next, text, nameAt, stop);
    const message = messages[index];
    if (message === undefined) {
      other(unescapeBaseName(text.slice(nameAt, stop)), octets);
    } else {
      found(message, octets);
      next = index + 1;
    }
    count += 1;
    start = stop + 1;
    if (turns.isOver()) await turns.next();
  }
  return count;
}

/**
 * Replaces the cache. Two sessions that write at once both succeed; one file stays. The file that
 * earlier versions kept beside it is removed.
 *
 * @throws the system's error; the old file is then as it was
 */
export async function writeOctetsCache(
  inbox: string,
  entries: Iterable<OctetsEntry>,
): Promise<void> {
  const { replaceMaildirFile } = await import('../own-files/replace-maildir-file.js');
  await replaceMaildirFile(inbox, octetsCacheName, linesOf(entries));
  try {
    unlinkSync(Buffer.from(`${inbox}/${formerFileName}`, 'latin1'));
  } catch {
    // Nearly always there is none.
  }
}

/** Many lines at a time, to be written together. */
function* linesOf(entries: Iterable<OctetsEntry>): Generator<string> {
  let lines = [header];
  let count = 0;
  for (const [baseName, octets] of entries) {
    lines.push(`${octets} ${escapeBaseName(baseName)}`);
    count += 1;
    if (lines.length === linesPerWrite) {
      yield `${lines.join('\n')}\n`;
      lines = [];
    }
  }
  lines.push(`end ${count}`);
  yield `${lines.join('\n')}\n`;
}

/** The lines between the header and the last line. */
async function countLines(text: string, end: number, turns: Turns): Promise<number> {
  let count = 0;
  for (let at = text.indexOf('\n'); at < end; at = text.indexOf('\n', at + 1)) {
    count += 1;
    if (turns.isOver()) await turns.next();
  }
  return count;
}

/**
 * @returns what stands before the line's first space; null when that is no number of up to 15
 *   digits
 */
function octetsAt(text: string, start: number, stop: number): number | null {
  let octets = 0;
  for (let at = start; at < stop; at += 1) {
    const code = text.charCodeAt(at);
    if (code === space) return at > start && at - start <= maxOctetsDigits ? octets : null;
    if (code < zero || code > nine) return null;
    octets = octets * 10 + code - zero;
  }
  return null;
}

/**
 * Which of the next messages an entry is for, found without a string of its own for each of 100,000
 * entries.
 *
 * @returns -1 for none of them
 */
function indexOfEntry(
  messages: readonly { readonly baseName: string }[],
  next: number,
  text: string,
  nameAt: number,
  stop: number,
): number {
  for (let index = next; index < next + maxStepsAhead; index += 1) {
    const message = messages[index];
    if (message === undefined) return -1;
    const { baseName } = message;
    const isSame = baseName.length === stop - nameAt && text.startsWith(baseName, nameAt);
    // A per cent sign is written otherwise in the file, where what looks the same is another name.
    if (isSame && !baseName.includes('%')) return index;
  }
  return -1;
}

/** Without the file octets can still be counted, so no error matters. */
function tryRead(inbox: string, maxBytes: number): string | null {
  try {
    return tryReadMaildirFile(inbox, octetsCacheName, maxBytes);
  } catch {
    return null;
  }
}
