// Log lines of a few milliseconds, written together: for processes that serve many sessions at
// once.

import { gather } from '../runtime/gather.js';
import type { LineSink } from './stderr-sink.js';

/** Below PIPE_BUF, so that what several processes write to one pipe never mixes. */
const maxGatheredLength = 3800;

/** @param sink takes several whole lines at a time as it takes one */
export function gatherLines(sink: LineSink): LineSink {
  let gathered = '';
  const pass = (): void => {
    if (gathered === '') return;
    const lines = gathered;
    gathered = '';
    sink.write(lines);
  };
  const passSoon = gather(pass);
  return {
    write: (line) => {
      if (gathered.length + line.length > maxGatheredLength) pass();
      gathered += line;
      passSoon();
    },
    flush: (timeoutMs) => {
      pass();
      return sink.flush(timeoutMs);
    },
  };
}
