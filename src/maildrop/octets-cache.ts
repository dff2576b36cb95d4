// The file `pop3d.octets` in a Maildir: octets that were counted once, so that they need not be counted again.
// Text, replaced by rename. Losing it, or failing to write it, costs time and nothing else: pop3d.octets(5).

import { setImmediate as nextTurn } from 'node:timers/promises';
import { escapeBaseName, unescapeBaseName } from './base-name-text.js';
import { readWholeFile } from './read-whole-file.js';
import { replaceMaildirFile } from './replace-maildir-file.js';

export const octetsCacheName = 'pop3d.octets';

const header = 'pop3d.octets 1';
/** The longest entry: a base name of 255 bytes, all of them escaped, and its octets. */
const maxEntryBytes = 800;
/** A file is read that has this many entries more than there are messages; a larger one is not worth its memory. */
const maxSurplusEntries = 20_000;
const maxFileBytes = 256 * 1024 * 1024;
const linesPerTurn = 2000;

export type OctetsEntry = readonly [baseName: string, octets: number];

/**
 * Reads the cache and visits each entry. A file that is missing, foreign, truncated or damaged visits nothing or, when the
 * damage shows late, some entries: each is right or is corrected when the message is read.
 *
 * @param inbox the Maildir, latin1 bytes
 * @param messageCount how many messages there are, which bounds the size of a file that is read
 * @param visit called with base name (latin1) and octets
 * @returns the number of entries, for judging whether a new file is worth writing
 */
export async function readOctetsCache(
  inbox: string,
  messageCount: number,
  visit: (baseName: string, octets: number) => void,
): Promise<number> {
  const maxBytes = Math.min((messageCount + maxSurplusEntries) * maxEntryBytes, maxFileBytes);
  const text = tryRead(`${inbox}/${octetsCacheName}`, maxBytes);
  if (text === null || !text.startsWith(`${header}\n`)) return 0;
  // Without its last line the file was cut; what is there is still one entry a line, but the last may be half of one.
  const end = text.lastIndexOf('\nend ');
  if (end === -1) return 0;
  let count = 0;
  let start = header.length + 1;
  while (start <= end) {
    const stop = text.indexOf('\n', start);
    const entry = parseEntry(text, start, stop);
    if (entry === null) return count;
    visit(...entry);
    count += 1;
    start = stop + 1;
    if (count % linesPerTurn === 0) await nextTurn();
  }
  return count;
}

/**
 * Replaces the cache. Two sessions that write at once both succeed; one file stays.
 *
 * @throws the system's error; the old file is then as it was
 */
export async function writeOctetsCache(
  inbox: string,
  entries: Iterable<OctetsEntry>,
): Promise<void> {
  await replaceMaildirFile(inbox, octetsCacheName, linesOf(entries));
}

/** Many lines at a time, to be written together. */
function* linesOf(entries: Iterable<OctetsEntry>): Generator<string> {
  let lines = [header];
  let count = 0;
  for (const [baseName, octets] of entries) {
    lines.push(`${octets} ${escapeBaseName(baseName)}`);
    count += 1;
    if (lines.length === linesPerTurn) {
      yield `${lines.join('\n')}\n`;
      lines = [];
    }
  }
  lines.push(`end ${count}`);
  yield `${lines.join('\n')}\n`;
}

function parseEntry(text: string, start: number, stop: number): OctetsEntry | null {
  const space = text.indexOf(' ', start);
  if (space <= start || space >= stop || space - start > 15) return null;
  let octets = 0;
  for (let at = start; at < space; at += 1) {
    const digit = text.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) return null;
    octets = octets * 10 + digit;
  }
  return [unescapeBaseName(text.slice(space + 1, stop)), octets];
}

/** Whatever is wrong with the file, octets can be counted. */
function tryRead(path: string, maxBytes: number): string | null {
  try {
    return readWholeFile(path, maxBytes);
  } catch {
    return null;
  }
}
