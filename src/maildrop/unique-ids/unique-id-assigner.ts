// Gives messages the ids of the source that pop3d's --uidl names.

import { courierUniqueIds } from './courier-unique-ids.js';
import { dovecotUniqueIds } from './dovecot-unique-ids.js';
import { assignListedUniqueIds } from './listed-unique-ids.js';
import type { Report } from '../octets/message-octets.js';
import type { UniqueIdSource } from './unique-id-source.js';
import type { Identifiable } from './unique-ids.js';

const formats = { dovecot: dovecotUniqueIds, courier: courierUniqueIds } as const;

/**
 * @param control Dovecot's CONTROL directory, latin1 bytes; null where its list is in the Maildir
 * @returns what gives messages their ids, or rejects when it cannot know them; undefined for ids
 *   from base names
 */
export function uniqueIdAssigner(
  source: UniqueIdSource,
  report: Report,
  control: string | null = null,
): ((inbox: string, messages: readonly Identifiable[]) => Promise<void>) | undefined {
  if (source === 'filename') return undefined;
  // There Dovecot keeps what is not mail of INBOX in `.INBOX`.
  const list = control === null ? null : `${control}/.INBOX`;
  return (inbox, messages) =>
    assignListedUniqueIds(list ?? inbox, messages, formats[source], report);
}
