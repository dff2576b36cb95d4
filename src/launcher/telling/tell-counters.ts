// Tells the counters: as a line of the log, and as the file that Prometheus' collector reads.

import type { Log } from '../../system/log/log.js';
import { formatMetrics, type Counters } from './metrics.js';
import { writeMetricsFile } from './metrics-file.js';

/**
 * @param file undefined: to the log only
 * @param listener where the service really listens
 */
export function countersTeller(
  file: string | undefined,
  { address, port }: { readonly address: string; readonly port: number },
  log: Log,
): (event: string, counters: Counters) => void {
  const startedSeconds = Math.round(Date.now() / 1000);
  return (event, counters) => {
    if (file !== undefined) {
      writeMetricsFile(file, formatMetrics(counters, { address, port, startedSeconds }), log);
    }
    // After the file: whoever waits for the line finds it.
    log.write(event, { ...counters });
  };
}
