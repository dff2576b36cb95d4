// What came whole in a session that broke, and waits in tmp: a server that took RETR for DELE has
// no other copy of it. The next listing shows. Pure.

import type { StoredRecord } from '../journal/journal-format.js';
import { uniqueIdKey } from '../journal/message-key.js';
import type { HeldMessage } from '../keep/recovery.js';
import type { MailboxListing } from '../talk/listing.js';

export interface HeldVerdicts {
  /** The server no longer has them: they are to be delivered. */
  readonly gone: readonly HeldMessage[];
  /** The server has them still: the copies in tmp are not needed. */
  readonly listed: readonly HeldMessage[];
  /** To be judged by content, after the session. */
  readonly open: readonly HeldMessage[];
}

export function judgeByListing(
  held: readonly HeldMessage[],
  listing: MailboxListing,
  account: string,
): HeldVerdicts {
  const { entries, hasUniqueIds, ignoredLines, isCut } = listing;
  if (held.length === 0) return { gone: [], listed: [], open: [] };
  if (ignoredLines > 0 || isCut) return { gone: [], listed: [], open: held };
  if (entries.length === 0) return { gone: held, listed: [], open: [] };
  const ids = entries.map(({ uniqueId }) => uniqueId);
  if (!hasUniqueIds || ids.includes(null)) return { gone: [], listed: [], open: held };
  const keys = new Set(ids.map((id) => uniqueIdKey(account, id ?? '')));
  return {
    gone: held.filter(({ record: { key } }) => key !== null && !keys.has(key)),
    listed: held.filter(({ record: { key } }) => key !== null && keys.has(key)),
    open: held.filter(({ record: { key } }) => key === null),
  };
}

/**
 * @param present the records of all listed messages
 * @param isComplete whether every listed message has one, made or confirmed in this session
 */
export function judgeByContent(
  open: readonly HeldMessage[],
  present: Iterable<StoredRecord>,
  isComplete: boolean,
): HeldVerdicts {
  if (open.length === 0) return { listed: [], gone: [], open: [] };
  const hashes = new Set(Array.from(present, ({ contentHash }) => contentHash));
  const isListed = ({ record }: HeldMessage): boolean => hashes.has(record.contentHash);
  const others = open.filter((one) => !isListed(one));
  return {
    listed: open.filter(isListed),
    gone: isComplete ? others : [],
    open: isComplete ? [] : others,
  };
}
