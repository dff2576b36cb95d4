// --report-fd: the descriptor on which a process for one session tells tcpsrun how far it is, one
// word a line. tcpsrun(8).

import { fstatSync, writeSync } from 'node:fs';
import type { Log } from '../../system/log/log.js';
import { systemWords } from '../../system/failures/system-words.js';
import { formatNews, type ProgramNews } from '../../worker/session-news.js';
import { ConfigurationError } from '../../system/failures/failures.js';

/**
 * @returns what tells; a launcher that is gone costs a line in the log, the first time
 * @throws ConfigurationError for a descriptor that is not open
 */
export function reportTo(fd: number, log: Log): (news: ProgramNews) => void {
  try {
    fstatSync(fd);
  } catch {
    throw new ConfigurationError(`option --report-fd: descriptor ${fd} is not open`);
  }
  let isHeard = true;
  return (news) => {
    if (!isHeard) return;
    try {
      // Written at once: tcpsrun must know of the login before the client does. Otherwise it could
      // still end the session for another client.
      writeSync(fd, `${formatNews(news)}\n`);
    } catch (error) {
      isHeard = false;
      log.write('warning', { why: `descriptor ${fd}: ${systemWords(error)}` });
    }
  };
}
