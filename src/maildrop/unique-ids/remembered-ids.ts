// The file `pop3d.unique-ids` in a Maildir: some messages with the unique-ids that the last session gave them.
// Text, replaced by rename. Losing it, or failing to write it, costs one warning at the most: pop3d.unique-ids(5).

import { isUniqueId } from '../../wire/listing.js';
import { escapeBaseName, unescapeBaseName } from '../own-files/base-name-text.js';
import { readWholeFile } from '../own-files/read-whole-file.js';
import { replaceMaildirFile } from '../own-files/replace-maildir-file.js';
import type { IdentifiedMessage, RememberedId } from './unique-id-changes.js';

export const rememberedIdsName = 'pop3d.unique-ids';

const header = 'pop3d.unique-ids 1';

/** So many messages tell as well as all of them whether most have changed. */
export const maxRemembered = 256;

/** The longest entry: octets, an id of 70 characters, a base name of 255 bytes, all of them escaped. */
const maxFileBytes = (maxRemembered + 2) * 860;

/**
 * Reads what was remembered.
 *
 * @param inbox the Maildir, latin1 bytes
 * @returns null for a file that is missing, foreign, cut, damaged, too large or cannot be read
 */
export function tryReadRememberedIds(inbox: string): readonly RememberedId[] | null {
  let text;
  try {
    text = readWholeFile(`${inbox}/${rememberedIdsName}`, maxFileBytes);
  } catch {
    return null;
  }
  const [first, ...lines] = (text ?? '').split('\n');
  const last = lines.splice(-2);
  if (first !== header || last[0] !== `end ${lines.length}` || last[1] !== '') return null;
  const entries = lines.map(tryEntry);
  return lines.length <= maxRemembered && entries.every((entry) => entry !== null) ? entries : null;
}

/**
 * Remembers messages, evenly spread over those that have an id, in the place of what was remembered.
 *
 * @throws the system's error; the old file is then as it was
 */
export async function writeRememberedIds(
  inbox: string,
  messages: readonly IdentifiedMessage[],
): Promise<void> {
  const lines: string[] = [];
  const step = Math.max(1, messages.length / maxRemembered);
  for (let at = 0; at < messages.length && lines.length < maxRemembered; at += step) {
    const message = messages[Math.floor(at)];
    if (message === undefined || message.uniqueId === null) continue;
    const { octets, uniqueId, baseName } = message;
    lines.push(`${octets ?? '-'} ${uniqueId} ${escapeBaseName(baseName)}`);
  }
  const text = [header, ...lines, `end ${lines.length}`, ''].join('\n');
  await replaceMaildirFile(inbox, rememberedIdsName, [text]);
}

function tryEntry(line: string): RememberedId | null {
  const [, octets, uniqueId = '', name = ''] =
    /^(-|[0-9]{1,15}) ([!-~]{1,70}) (.+)$/s.exec(line) ?? [];
  if (octets === undefined || !isUniqueId(uniqueId)) return null;
  return {
    octets: octets === '-' ? null : Number(octets),
    uniqueId,
    baseName: unescapeBaseName(name),
  };
}
