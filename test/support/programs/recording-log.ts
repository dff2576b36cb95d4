// A log that keeps its lines in memory.

import type { Log } from '../../../src/system/log/log.js';
import type { LogFields } from '../../../src/system/log/log-line.js';

export interface LogLine {
  readonly event: string;
  readonly fields: LogFields;
}

export function recordingLog(): { readonly log: Log; readonly lines: readonly LogLine[] } {
  const lines: LogLine[] = [];
  const log: Log = {
    write: (event, fields = {}) => lines.push({ event, fields }),
    flush: () => Promise.resolve(),
  };
  return { log, lines };
}
