// The unique-ids that Dovecot's POP3 server gives: `%08Xu%08Xv` (IMAP UID and UIDVALIDITY), its
// default, from `dovecot-uidlist`, or what an import from another server left there. Formats 3 and
// 1 of that file.

import { baseNameOf } from '../../maildir/base-name.js';
import type { ListedId, UniqueIdListFormat } from './listed-unique-ids.js';

export const dovecotUniqueIds: UniqueIdListFormat = {
  fileName: 'dovecot-uidlist',
  parse: parseDovecotUidList,
  mayGive: (uniqueId) => /^[0-9A-F]{16}$/i.test(uniqueId),
};

const maxUid = 0xffff_ffff;
/** Dovecot's has some 50. */
const maxHeaderLength = 4096;

/**
 * Reads `dovecot-uidlist`: a header `3 V<uidvalidity> N<next uid> …` and lines `<uid> [<key><value>
 * …] :<file name>`, or in format 1 `1 <uidvalidity> <next uid>` and `<uid> <file name>`. The name
 * is the last that Dovecot knew. `P<id>` is an id from an import; an empty one means the base name.
 *
 * @throws Error for a header that is not understood, or is not there: an empty file lost its ids,
 *   and is no list without any
 */
export function* parseDovecotUidList(text: string): Generator<ListedId | null> {
  const headerEnd = text.indexOf('\n');
  const header = text.slice(
    0,
    headerEnd === -1 ? maxHeaderLength : Math.min(headerEnd, maxHeaderLength),
  );
  const version = /^([13]) /.exec(header)?.[1];
  const validity = /^(?:3 (?:.* )?V|1 )([0-9]{1,10})(?: |$)/.exec(header)?.[1];
  if (version === undefined || validity === undefined || headerEnd === -1) {
    throw new Error(`dovecot-uidlist: a header that is not understood: ${header.slice(0, 80)}`);
  }
  const suffix = asHex(Number(validity));
  let start = headerEnd + 1;
  for (;;) {
    const end = text.indexOf('\n', start);
    if (end === -1) return;
    const entry = parseEntry(text.slice(start, end), version === '3' ? ' :' : ' ');
    if (entry === null) {
      yield null;
    } else {
      const { uid, fields, baseName } = entry;
      yield [baseName, importedId(fields, baseName) ?? `${asHex(uid)}${suffix}`];
    }
    start = end + 1;
  }
}

interface Entry {
  readonly uid: number;
  /** What stands between uid and name; a space before each. */
  readonly fields: string;
  readonly baseName: string;
}

/** @returns null for a line that is none: Dovecot will mend it */
function parseEntry(line: string, separator: string): Entry | null {
  // In the line, not in the text: for a long list without any separator that would be the square of
  // its length.
  const separatorAt = line.indexOf(separator);
  if (separatorAt === -1) return null;
  const firstSpace = line.indexOf(' ');
  const uidText = line.slice(0, firstSpace);
  const baseName = baseNameOf(line.slice(separatorAt + separator.length));
  if (!/^[0-9]{1,10}$/.test(uidText) || baseName === '') return null;
  const uid = Number(uidText);
  const fields = line.slice(firstSpace, separatorAt);
  return uid === 0 || uid > maxUid ? null : { uid, fields, baseName };
}

function importedId(fields: string, baseName: string): string | null {
  const at = fields.indexOf(' P');
  if (at === -1) return null;
  const end = fields.indexOf(' ', at + 1);
  const value = fields.slice(at + 2, end === -1 ? undefined : end);
  return value === '' ? baseName : value;
}

/** As Dovecot's `%08X`, whose digits are small letters. */
function asHex(value: number): string {
  return value.toString(16).padStart(8, '0');
}
