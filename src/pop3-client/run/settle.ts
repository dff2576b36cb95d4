// The end of a session: DELE for what is safely stored, then QUIT. RFC 1939 §5 (DELE), §6 (UPDATE).

import { formatCommandLine } from '../../wire/command-line.js';
import type { Pop3Client } from '../talk/client.js';
import { ConnectionLost, LostStep, quoteServerText } from '../settings/failures.js';
import type { Entry } from '../talk/listing.js';
import { exchangeAll, type Command } from './exchange-all.js';
import { SessionBroken } from './session-broken.js';

/** Larger than for RETR: the replies are short, and nothing here stops reading for a disk. */
const maxCommandOctets = 32_768;

export interface Settlement {
  /** Messages whose DELE was answered with +OK. */
  readonly marked: readonly Entry[];
  /**
   * `done`: the server said it removed them, or there were none. `refused`: it answered QUIT with
   * -ERR, so some may remain. `undecided`: no answer; the next run finds out.
   */
  readonly quit: 'done' | 'refused' | 'undecided';
  /** Why, for the last two. */
  readonly reason: string;
}

interface SettlingCommand extends Command {
  /** Null for QUIT. */
  readonly entry: Entry | null;
}

function* settlingCommands(entries: readonly Entry[]): Iterable<SettlingCommand> {
  for (const entry of entries) {
    yield { line: formatCommandLine('DELE', entry.number), replyOctets: 0, entry };
  }
  yield { line: formatCommandLine('QUIT'), replyOctets: 0, entry: null };
}

/**
 * Deletes and quits.
 *
 * @param mayPipeline whether DELEs and QUIT go without waiting for replies
 * @param onRefused a DELE was answered with -ERR; the others go on
 * @throws SessionBroken when a DELE has no reply
 */
export async function settle(
  client: Pop3Client,
  entries: readonly Entry[],
  mayPipeline: boolean,
  onRefused: (entry: Entry, reason: string) => void,
): Promise<Settlement> {
  const marked: Entry[] = [];
  const bounds = { mayPipeline, maxCommandOctets, maxReplyOctets: 0 };
  let answered = 0;
  const seen: { isWaiting: boolean; refusal: string | null } = { isWaiting: false, refusal: null };
  try {
    await exchangeAll(client, settlingCommands(entries), bounds, async ({ entry }) => {
      seen.isWaiting = true;
      const response = await client.replies.readResponse();
      seen.isWaiting = false;
      answered += 1;
      const said = quoteServerText(response.text);
      if (response.isOk) marked.push(...(entry === null ? [] : [entry]));
      else if (entry !== null) onRefused(entry, said);
      else seen.refusal = said;
    });
  } catch (error) {
    if (!(error instanceof ConnectionLost || error instanceof LostStep)) throw error;
    // What came without being asked for came with the reply before.
    const culprit = seen.isWaiting ? entries[answered] : (entries[answered - 1] ?? entries[0]);
    if (culprit !== undefined) {
      throw new SessionBroken(error, { step: 'DELE', unverified: [culprit] });
    }
    if (marked.length > 0) return { marked, quit: 'undecided', reason: error.message };
  }
  const { refusal } = seen;
  if (refusal === null || marked.length === 0) return { marked, quit: 'done', reason: '' };
  return { marked, quit: 'refused', reason: refusal };
}
