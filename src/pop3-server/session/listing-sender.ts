// Sends the lines of a listing as the rest of a multi-line response. RFC 1939 §3.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { BrokenOff } from './message-sender.js';
import type { SessionOutput } from './session-output.js';

/** Lines that are written in one go. */
const linesPerTurn = 2000;

/**
 * @returns undefined when all is written: most listings are one turn's work
 * @throws BrokenOff when the peer is gone: as for a message, what is behind a reply that nobody
 *   gets is not done
 */
export function sendListing(
  lines: Iterable<string>,
  output: SessionOutput,
): undefined | Promise<void> {
  const rest = lines[Symbol.iterator]();
  const waiting: string[] = [];
  return writeSome(rest, waiting, output) ? undefined : sendRest(rest, waiting, output);
}

async function sendRest(
  rest: Iterator<string>,
  waiting: string[],
  output: SessionOutput,
): Promise<void> {
  do {
    await output.flush();
    await nextTurn();
    if (output.isDead) throw new BrokenOff('the peer is gone');
  } while (!writeSome(rest, waiting, output));
}

/**
 * @param waiting the line that the turn before left, if there was one
 * @returns whether all lines are written now
 */
function writeSome(rest: Iterator<string>, waiting: string[], output: SessionOutput): boolean {
  for (let next = rest.next(); next.done !== true; next = rest.next()) {
    // Only before another line, so that the terminator leaves together with the last ones.
    if (waiting.length === linesPerTurn) {
      output.write(`${waiting.splice(0).join('\r\n')}\r\n`);
      waiting.push(next.value);
      return false;
    }
    waiting.push(next.value);
  }
  waiting.push('.\r\n');
  output.write(waiting.join('\r\n'));
  return true;
}
