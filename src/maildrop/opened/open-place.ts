// Opens the maildrop at a place, on the thread that is to make the calls on its files.

import type { Report } from '../octets/message-octets.js';
import { requireMounted } from '../place/mail-root.js';
import { tryOtherMaildir } from '../place/other-maildirs.js';
import type { Place } from '../place/place.js';
import type { ShouldStop } from '../messages/counting-stopped.js';
import type { Maildrop } from '../messages/maildrop.js';
import { uniqueIdAssigner } from '../unique-ids/unique-id-assigner.js';
import type { UniqueIdSource } from '../unique-ids/unique-id-source.js';
import type { RecentMaildrops } from '../view/recent-maildrops.js';
import { openMaildirMaildrop } from './maildir-maildrop.js';

/** What decides how a maildrop is served. Can be posted to a thread. */
export interface MaildropSettings {
  readonly place: Place;
  readonly uniqueIds: UniqueIdSource;
  /** As `MaildropPlaces.uniqueIdListsOf`. */
  readonly uniqueIdLists: readonly string[];
  /** Only messages younger than so many days are shown; null: all. */
  readonly days: number | null;
  /** Whether UPDATE gives retrieved messages the S flag. */
  readonly marksSeen: boolean;
}

/** What a maildrop may ask and tell the session that opened it. */
export interface MaildropUser {
  readonly report: Report;
  readonly shouldStop: ShouldStop;
}

/**
 * @param recent what earlier sessions left
 * @throws MaildropRefused for one that must not be served; the system's error or another for one
 *   that cannot be opened now
 */
export function openPlace(
  { place, uniqueIds, uniqueIdLists, days, marksSeen }: MaildropSettings,
  { report, shouldStop }: MaildropUser,
  recent: RecentMaildrops | undefined,
): Promise<Maildrop> {
  return openMaildirMaildrop(place.path, {
    assignUniqueIds: uniqueIdAssigner(uniqueIds, report, uniqueIdLists),
    expectMissing: () => expectMissing(place, report),
    kind: place.own === place.path ? 'users-directory' : 'maildir',
    days,
    marksSeen,
    recent,
    report,
    shouldStop,
  });
}

/** @throws as `requireMounted` */
function expectMissing(place: Place, report: Report): void {
  requireMounted(place);
  const other = tryOtherMaildir(place);
  if (other === null) return;
  const why = `${place.path} is no Maildir, but ${other} is: see --maildrop`;
  report('warning', { why: Buffer.from(why, 'latin1').toString() });
}
