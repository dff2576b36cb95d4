// Sends the lines of a listing as the rest of a multi-line response. RFC 1939 §3.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { terminator } from '../../wire/multiline.js';
import { BrokenOff } from './message-sender.js';
import type { SessionOutput } from './session-output.js';

/** Lines that are written in one go. */
const linesPerTurn = 2000;

/**
 * @throws BrokenOff when the peer is gone: as for a message, what is behind a reply that nobody
 *   gets is not done
 */
export async function sendListing(lines: Iterable<string>, output: SessionOutput): Promise<void> {
  let waiting: string[] = [];
  for (const line of lines) {
    // Only before another line, so that the terminator leaves together with the last ones.
    if (waiting.length === linesPerTurn) {
      output.write(`${waiting.join('\r\n')}\r\n`);
      waiting = [];
      await output.flush();
      await nextTurn();
      if (output.isDead) throw new BrokenOff('the peer is gone');
    }
    waiting.push(line);
  }
  if (waiting.length > 0) output.write(`${waiting.join('\r\n')}\r\n`);
  output.write(terminator);
}
