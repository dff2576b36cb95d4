// The unique-ids that Courier's POP3 server gives, from `courierpop3dsizelist`. Formats 2 and 3 of
// that file.

import { baseNameOf } from '../../maildir/base-name.js';
import type { ListedId, UniqueIdListFormat } from './listed-unique-ids.js';

export const courierUniqueIds: UniqueIdListFormat = {
  fileName: 'courierpop3dsizelist',
  parse: parseCourierSizeList,
  mayGive: (uniqueId) => /^UID[0-9]+(?:-[0-9]+)?$/.test(uniqueId),
};

/**
 * Reads `courierpop3dsizelist`: a header `/3 <next uid> <uidvalidity>` and lines
 * `<file name> <octets> <uid>:<uidvalidity>:<is UTF-8>`; in format 2 without the last field.
 *
 * @throws Error for a header that is not understood, or is not there; Courier itself starts anew
 *   then
 */
export function* parseCourierSizeList(text: string): Generator<ListedId | null> {
  const headerEnd = text.indexOf('\n');
  if (headerEnd === -1 || !/^\/[23] +[0-9]/.test(text)) {
    const header = text.slice(0, Math.min(headerEnd === -1 ? 80 : headerEnd, 80));
    throw new Error(`courierpop3dsizelist: a header that is not understood: ${header}`);
  }
  let start = headerEnd + 1;
  for (;;) {
    const end = text.indexOf('\n', start);
    if (end === -1) return;
    const entry = /^(.+) [0-9]+ ([0-9]{1,20}):([0-9]{1,20})(?::[0-9]+)?$/s.exec(
      text.slice(start, end),
    );
    if (entry === null) {
      yield null;
    } else {
      const [, name = '', uid = '', validity = ''] = entry;
      const baseName = baseNameOf(name);
      yield [baseName, uniqueIdOf(baseName, withoutZeros(uid), withoutZeros(validity))];
    }
    start = end + 1;
  }
}

/** Messages that were listed by older versions kept the ids of those. */
function uniqueIdOf(baseName: string, uid: string, validity: string): string {
  if (uid === '0') return escapedBaseName(baseName);
  return validity === '0' ? `UID${uid}` : `UID${uid}-${validity}`;
}

/**
 * Courier writes a base name with `+XX` for what is no character of an id, and for quotation marks
 * and `+`.
 */
function escapedBaseName(baseName: string): string {
  return baseName.replace(/[^!-~]|['"+]/g, (character) => {
    return `+${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
  });
}

function withoutZeros(digits: string): string {
  return digits.replace(/^0+(?=[0-9])/, '');
}
