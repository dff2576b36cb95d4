// Tells the counters: as a line of the log, and as the file that Prometheus' collector reads.

import type { Log } from '../../system/log/log.js';
import { formatMetrics, type CountedService, type Counters } from './metrics.js';
import { writeMetricsFile } from './metrics-file.js';

/**
 * @param file undefined: to the log only
 * @param places where the service really listens
 * @returns what tells them; its promise never rejects
 */
export function countersTeller(
  file: string | undefined,
  places: CountedService['places'],
  log: Log,
): (event: string, counters: Counters) => Promise<void> {
  const startedSeconds = Math.round(Date.now() / 1000);
  let told = Promise.resolve();
  const tell = async (event: string, counters: Counters): Promise<void> => {
    if (file !== undefined) {
      await writeMetricsFile(file, formatMetrics(counters, { places, startedSeconds }), log);
    }
    // After the file: whoever waits for the line finds it.
    log.write(event, { ...counters });
  };
  // One after the other: the last counters must not be replaced by older ones.
  return (event, counters) => (told = told.then(() => tell(event, counters)));
}
