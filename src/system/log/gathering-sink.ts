// Log lines of a few milliseconds, written together: for processes that serve many sessions at once.

import type { LineSink } from './stderr-sink.js';

/** Below PIPE_BUF, so that what several processes write to one pipe never mixes. */
const maxGatheredLength = 3800;

/** Short enough for whoever reads along, long enough for the lines of a dozen sessions on a busy server. */
const gatherMs = 5;

/** @param sink takes several whole lines at a time as it takes one */
export function gatherLines(sink: LineSink): LineSink {
  let gathered = '';
  let isScheduled = false;
  const pass = (): void => {
    if (gathered === '') return;
    const lines = gathered;
    gathered = '';
    sink.write(lines);
  };
  return {
    write: (line) => {
      if (gathered.length + line.length > maxGatheredLength) pass();
      gathered += line;
      if (isScheduled) return;
      isScheduled = true;
      setTimeout(() => {
        isScheduled = false;
        pass();
      }, gatherMs);
    },
    flush: (timeoutMs) => {
      pass();
      return sink.flush(timeoutMs);
    },
  };
}
