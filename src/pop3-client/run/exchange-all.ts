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
  commands: readonly C[],
  { mayPipeline, maxCommandOctets, maxReplyOctets }: Bounds,
  onReply: (command: C) => Promise<void>,
): Promise<void> {
  let sent = 0;
  let commandOctets = 0;
  let replyOctets = 0;
  for (const [index, command] of commands.entries()) {
    if (sent === index) client.expectSilence();
    // Commands go out in bunches: a write for each would be a packet for each.
    if (sent === index || (mayPipeline && commandOctets <= maxCommandOctets / 2)) {
      let lines = '';
      for (let next = commands[sent]; next !== undefined; next = commands[sent]) {
        const isRoom =
          sent === index ||
          (mayPipeline &&
            commandOctets + next.line.length <= maxCommandOctets &&
            replyOctets + next.replyOctets <= maxReplyOctets);
        if (!isRoom) break;
        lines += next.line;
        commandOctets += next.line.length;
        replyOctets += next.replyOctets;
        sent += 1;
      }
      if (lines !== '') client.send(lines);
    }
    await onReply(command);
    commandOctets -= command.line.length;
    replyOctets -= command.replyOctets;
  }
}
