// Gives messages the ids of the source that pop3d's --uidl names.

import { courierUniqueIds } from './courier-unique-ids.js';
import { dovecotUniqueIds } from './dovecot-unique-ids.js';
import { assignListedUniqueIds } from './listed-unique-ids.js';
import type { Report } from '../octets/message-octets.js';
import type { UniqueIdSource } from './unique-id-source.js';
import type { Identifiable } from './unique-ids.js';

const formats = { dovecot: dovecotUniqueIds, courier: courierUniqueIds } as const;

/**
 * @param elsewhere directories for the list where it is not in the Maildir, latin1 bytes; the first
 *   that has it counts
 * @returns what gives messages their ids, or rejects when it cannot know them; undefined for ids
 *   from base names
 */
export function uniqueIdAssigner(
  source: UniqueIdSource,
  report: Report,
  elsewhere: readonly string[] = [],
): ((inbox: string, messages: readonly Identifiable[]) => Promise<void>) | undefined {
  if (source === 'filename') return undefined;
  return (inbox, messages) => {
    const directories = elsewhere.length === 0 ? [inbox] : elsewhere;
    return assignListedUniqueIds(directories, messages, formats[source], report);
  };
}
