// Commands in a row, as many ahead of their replies as the server and the bounds permit. RFC 2449
// §6.6 (PIPELINING).

import type { Pop3Client } from '../talk/client.js';

export interface Command {
  /** With its line end. */
  readonly line: string;
  /** Octets that its reply is expected to have; 0 for a single line. */
  readonly replyOctets: number;
}

export interface Bounds {
  readonly mayPipeline: boolean;
  /** Octets of commands under way. */
  readonly maxCommandOctets: number;
  /** Octets of replies under way; one reply may be larger. */
  readonly maxReplyOctets: number;
}

/**
 * Sends every command and has the replies read in the same order. Throws what `onReply` throws, and
 * LostStep.
 *
 * @param onReply reads the reply to a command from the client
 */
export async function exchangeAll<C extends Command>(
  client: Pop3Client,
  commands: Iterable<C>,
  { mayPipeline, maxCommandOctets, maxReplyOctets }: Bounds,
  onReply: (command: C) => Promise<void>,
): Promise<void> {
  const rest = commands[Symbol.iterator]();
  let next = rest.next();
  const underWay: C[] = [];
  let commandOctets = 0;
  let replyOctets = 0;
  for (;;) {
    if (underWay.length === 0 && next.done !== true) client.expectSilence();
    // Commands go out in bunches: a write for each would be a packet for each.
    if (underWay.length === 0 || (mayPipeline && commandOctets <= maxCommandOctets / 2)) {
      let lines = '';
      for (; next.done !== true; next = rest.next()) {
        const { value } = next;
        const isRoom =
          underWay.length === 0 ||
          (mayPipeline &&
            commandOctets + value.line.length <= maxCommandOctets &&
            replyOctets + value.replyOctets <= maxReplyOctets);
        if (!isRoom) break;
        lines += value.line;
        commandOctets += value.line.length;
        replyOctets += value.replyOctets;
        underWay.push(value);
      }
      if (lines !== '') client.send(lines);
    }
    const command = underWay.shift();
    if (command === undefined) return;
    await onReply(command);
    commandOctets -= command.line.length;
    replyOctets -= command.replyOctets;
  }
}
