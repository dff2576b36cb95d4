// The progress bar on a terminal: messages, octets, rate, time left.

import cliProgress from 'cli-progress';
import type { Emit, RunEvent } from './events.js';

/** A sink for what happens in a run. `stop` takes the bar off the terminal. */
export interface ProgressBar {
  readonly show: Emit;
  readonly stop: () => void;
}

export function openProgressBar(stream: NodeJS.WriteStream): ProgressBar {
  let messages = 0;
  let done = 0;
  let octets = 0;
  let expected = 0;
  let startedAt = 0;
  let isRunning = false;
  const bar = new cliProgress.SingleBar({
    stream,
    fps: 5,
    clearOnComplete: true,
    hideCursor: true,
    // cli-progress would otherwise end the process in a way of its own.
    gracefulExit: false,
    format: (options, parameters) => {
      const seconds = Math.max(0.001, (performance.now() - startedAt) / 1000);
      const rate = octets / seconds;
      const left = rate > 0 ? `  ${formatSeconds(Math.max(0, expected - octets) / rate)} left` : '';
      const line = cliProgress.Format.BarFormat(parameters.progress, options);
      return `${line} ${done}/${messages} messages  ${formatOctets(octets)}  ${formatOctets(rate)}/s${left}`;
    },
  });
  const start = (count: number, total: number): void => {
    if (isRunning) bar.stop();
    [messages, done, octets, expected] = [count, 0, 0, total];
    startedAt = performance.now();
    isRunning = count > 0;
    if (isRunning) bar.start(Math.max(1, total), 0);
  };
  return {
    show: (event: RunEvent) => {
      if (event.kind === 'plan') start(event.messages, event.octets);
      if (event.kind === 'stored') done += 1;
      if (event.kind !== 'octets') return;
      octets += event.octets;
      if (isRunning) bar.update(Math.min(octets, Math.max(1, expected)));
    },
    stop: () => {
      if (isRunning) bar.stop();
      isRunning = false;
    },
  };
}

/** `999`, `1.5 kB`, `20.0 MB`: decimal units. */
export function formatOctets(octets: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = octets;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit] ?? ''}`;
}

/** `59 s`, `2 min`, `3 h 5 min`: no more exact than an estimate is. */
export function formatSeconds(seconds: number): string {
  if (seconds < 60) return `${Math.ceil(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
