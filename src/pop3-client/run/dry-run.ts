// What a run would do, found out without changing anything here or on the server.

import { checkMaildir } from '../../maildir/deliver.js';
import { readJournal } from '../journal/journal-file.js';
import { readMailbox, requestMailbox } from '../talk/listing.js';
import { locateServers } from '../find/locate.js';
import type { NameServer } from '../find/name-server.js';
import { Experience } from '../talk/experience.js';
import { openSession } from '../talk/open-session.js';
import { keeping, relevantRecords } from './session.js';
import type { Settings } from '../settings/settings.js';
import { AlreadyStored } from '../keep/already-stored.js';
import { TlsMemory } from '../find/tls-memory.js';

export interface Intention {
  readonly number: number;
  readonly uniqueId: string | null;
  readonly listedOctets: string | null;
  readonly action: 'fetch' | 'delete' | 'keep' | 'leave';
}

/** Throws as `openSession` and `readMailbox` do. */
export async function findIntentions(
  settings: Settings,
  nameServer: NameServer,
  signal: AbortSignal,
): Promise<{ readonly server: string; readonly intentions: readonly Intention[] }> {
  const { maildir, account, maxOctets } = settings;
  const isKept = keeping(settings);
  checkMaildir(maildir);
  const content = await readJournal(maildir, account);
  const session = await openSession({
    settings,
    nameServer,
    targets: await locateServers(settings.location, nameServer, signal),
    tlsMemory: new TlsMemory(content.sawTls, () => Promise.resolve()),
    experience: new Experience(content.learned, () => Promise.resolve()),
    signal,
  });
  const { client, endpoint } = session;
  try {
    requestMailbox(client, false);
    const listing = await readMailbox(client, false);
    const records = relevantRecords([...content.records.values()], listing, account);
    const stored = new AlreadyStored(account, records, [], content.existed);
    const intentions = listing.entries.map((entry): Intention => {
      const { number, uniqueId, listedOctets, expectedOctets } = entry;
      const record = stored.find(entry);
      const isStored =
        record?.state === 'imported' ||
        (record?.state === 'stored' && record.listedOctets === listedOctets);
      const left = expectedOctets > maxOctets ? 'leave' : 'fetch';
      const action = isStored ? (isKept(record) ? 'keep' : 'delete') : left;
      return { number, uniqueId, listedOctets, action };
    });
    // Nothing was marked, so QUIT removes nothing; its answer changes nothing either.
    await client.exchange('QUIT').catch(() => undefined);
    return { server: `${endpoint.target.host}:${endpoint.target.port}`, intentions };
  } finally {
    client.destroy();
  }
}
