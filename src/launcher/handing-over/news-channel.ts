// The descriptor on which a program tells how far its session is, a word a line. tcpsrun(8).

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { StartedProgram } from '../../run-file/start-program.js';
import { tryNews, type ProgramNews } from '../../worker/session-news.js';

/** No line of the protocol is as long as this: a name has up to 511 octets, three for each. */
const maxLineOctets = 2048;

/**
 * Listens until the program ends. Words that are not known are passed over, and a program that
 * speaks no lines is not listened to any longer.
 *
 * @param index of the pipe among the program's descriptors
 */
export function hearNews(
  { child, ended }: StartedProgram,
  index: number,
  hear: (news: ProgramNews) => void,
): void {
  const channel = child.stdio[index];
  if (channel === null || channel === undefined) return;
  let rest = '';
  channel.on('error', () => undefined);
  channel.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString('latin1')).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const news = tryNews(line);
      if (news !== null) hear(news);
    }
    if (rest.length > maxLineOctets) channel.destroy();
  });
  void ended.then(async () => {
    // What it said last is read; but a program that it left behind must not keep the channel open.
    await nextTurn();
    await nextTurn();
    channel.destroy();
  });
}
