// The end of a session: DELE for what is safely stored, then QUIT. RFC 1939 §5 (DELE), §6 (UPDATE).

import { formatCommandLine } from '../../wire/command-line.js';
import type { Pop3Client } from '../talk/client.js';
import { ConnectionLost, LostStep, quoteServerText } from '../settings/failures.js';
import type { Entry } from '../talk/listing.js';

/** Larger than for RETR: the replies are short, and nothing here stops reading for a disk. */
const maxCommandOctets = 32_768;

export interface Settlement {
  /** Messages whose DELE was answered with +OK. */
  readonly marked: readonly Entry[];
  /**
   * `done`: the server said it removed them. `refused`: it answered QUIT with -ERR, so some may remain. `undecided`: no
   * answer; the next run finds out.
   */
  readonly quit: 'done' | 'refused' | 'undecided';
  /** Why, for the last two. */
  readonly reason: string;
}

/**
 * Deletes and quits.
 *
 * @param mayPipeline whether DELEs and QUIT go without waiting for replies
 * @param onRefused a DELE was answered with -ERR; the others go on
 */
export async function settle(
  client: Pop3Client,
  entries: readonly Entry[],
  mayPipeline: boolean,
  onRefused: (entry: Entry, reason: string) => void,
): Promise<Settlement> {
  const marked: Entry[] = [];
  try {
    const lines = [
      ...entries.map(({ number }) => formatCommandLine('DELE', number)),
      formatCommandLine('QUIT'),
    ];
    let sent = 0;
    let outstanding = 0;
    for (const [index, line] of lines.entries()) {
      if (sent === index) client.expectSilence();
      if (sent === index || (mayPipeline && outstanding <= maxCommandOctets / 2)) {
        const first = sent;
        do {
          outstanding += lines[sent]?.length ?? 0;
          sent += 1;
        } while (mayPipeline && sent < lines.length && outstanding < maxCommandOctets);
        client.send(lines.slice(first, sent).join(''));
      }
      const response = await client.replies.readResponse();
      outstanding -= line.length;
      const entry = entries[index];
      if (entry === undefined) {
        const quit = response.isOk ? 'done' : 'refused';
        return { marked, quit, reason: response.isOk ? '' : quoteServerText(response.text) };
      }
      if (response.isOk) marked.push(entry);
      else onRefused(entry, quoteServerText(response.text));
    }
  } catch (error) {
    if (!(error instanceof ConnectionLost || error instanceof LostStep)) throw error;
    return { marked, quit: 'undecided', reason: error.message };
  }
  return { marked, quit: 'undecided', reason: '' };
}
