// What a launcher has of the system's: memory, descriptors, children that were not waited for.

import { readdirSync, readFileSync } from 'node:fs';

export interface LauncherFigures {
  readonly atMs: number;
  readonly residentKiB: number;
  readonly descriptors: number;
  readonly zombies: number;
}

export function launcherFigures(pid: number): LauncherFigures {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim();
  const zombies = children.split(' ').filter((child) => {
    try {
      return / Z /.test(readFileSync(`/proc/${child}/stat`, 'latin1'));
    } catch {
      return false;
    }
  });
  return {
    atMs: performance.now(),
    residentKiB: Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]),
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    zombies: zombies.length,
  };
}

/** The slope of the straight line that fits best, an hour; 0 for fewer than two samples. */
export function slopePerHour(
  samples: readonly LauncherFigures[],
  valueOf: (figures: LauncherFigures) => number,
): number {
  if (samples.length < 2) return 0;
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const meanMs = mean(samples.map(({ atMs }) => atMs));
  const meanValue = mean(samples.map(valueOf));
  let both = 0;
  let squares = 0;
  for (const sample of samples) {
    both += (sample.atMs - meanMs) * (valueOf(sample) - meanValue);
    squares += (sample.atMs - meanMs) ** 2;
  }
  return (both / squares) * 3_600_000;
}
