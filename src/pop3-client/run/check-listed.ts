// Whether messages that this run did not fetch are those that were stored under their unique-ids:
// before they are deleted, the header and the first lines are compared. Servers have given an old
// unique-id to another message. RFC 1939 §7 (TOP).

import { formatCommandLine } from '../../wire/command-line.js';
import { LineFeedEncoder } from '../../wire/multiline.js';
import { IdentityHash, topLineCount } from '../keep/message-identity.js';
import type { StoredRecord } from '../journal/journal-format.js';
import type { Pop3Client } from '../talk/client.js';
import type { Entry } from '../talk/listing.js';
import { exchangeAll } from './exchange-all.js';
import { SessionBroken } from './session-broken.js';

const maxCommandOctets = 16_384;
const maxReplyOctets = 4 * 1024 * 1024;
/** An estimate, for the bound on replies under way. */
const expectedTopOctets = 4096;

/**
 * Asks for the tops of messages.
 *
 * @param records what is stored under their unique-ids
 * @param maxOctets of one reply
 * @returns those that are what was stored; of the others it is not known
 * @throws SessionBroken with the message that was asked for
 */
export async function checkListed(
  client: Pop3Client,
  records: ReadonlyMap<Entry, StoredRecord>,
  mayPipeline: boolean,
  maxOctets: number,
): Promise<ReadonlySet<Entry>> {
  const same = new Set<Entry>();
  const commands = Array.from(records, ([entry, { topHash }]) => ({
    entry,
    topHash,
    replyOctets: expectedTopOctets,
    line: formatCommandLine('TOP', entry.number, topLineCount),
  }));
  let current: Entry | undefined = commands[0]?.entry;
  try {
    await exchangeAll(
      client,
      commands,
      { mayPipeline, maxCommandOctets, maxReplyOctets },
      async ({ entry, topHash }) => {
        current = entry;
        const response = await client.replies.readResponse();
        if (!response.isOk) return;
        const lineFeeds = new LineFeedEncoder();
        const hash = new IdentityHash();
        await client.replies.readMessage(maxOctets, (piece) => {
          hash.update(lineFeeds.encode(piece));
        });
        hash.update(lineFeeds.end());
        if (hash.digest().topHash === topHash) same.add(entry);
      },
    );
    client.expectSilence();
  } catch (error) {
    throw new SessionBroken(error, {
      ...{ step: 'TOP', unverified: current === undefined ? [] : [current] },
    });
  }
  return same;
}
