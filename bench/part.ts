// A part of the bench: what it is given and what it finds.

import type { Teardown } from '../test/support/programs/run-program.js';
import type { BarChart } from './charts/bar-chart.js';
import type { LineChart } from './charts/line-chart.js';
import type { LoadGenerator } from './load.js';

export interface Bench {
  readonly load: LoadGenerator;
  /** Quick sizes show that the bench works; their figures mean nothing. */
  readonly scale: 'full' | 'quick';
  /** The folder of another build, to be measured beside this one. */
  readonly before: string | undefined;
  /** Undone when the part ends. */
  readonly t: Teardown;
}

export interface Part {
  /** As given on the command line. */
  readonly name: string;
  readonly title: string;
  readonly run: (bench: Bench) => Promise<Findings>;
}

export interface Findings {
  readonly tables: readonly Table[];
  readonly goals: readonly Goal[];
  readonly charts: readonly Chart[];
  /** Sentences that say how it was measured. */
  readonly notes: readonly string[];
}

export interface Table {
  readonly title: string;
  /** The first column is text, all others are numbers. */
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export interface Goal {
  readonly what: string;
  readonly figure: string;
  readonly goal: string;
  readonly isMet: boolean;
}

export type Chart = { readonly file: string } & (LineChart | BarChart);

/** A goal of so many times what the other does; nothing when there is no other. */
export function atLeastTimes(
  times: number,
  what: string,
  ours: number,
  theirs: number | undefined,
): readonly Goal[] {
  if (theirs === undefined) return [];
  return [
    {
      what,
      figure: `${formatNumber(ours)} : ${formatNumber(theirs)} = ${(ours / theirs).toFixed(2)} times`,
      goal: `at least ${formatNumber(times)} times`,
      isMet: ours >= times * theirs,
    },
  ];
}

/** A goal of a most that may be reached. */
export function atMost(limit: number, what: string, figure: number, unit: string): Goal {
  return {
    what,
    figure: `${formatNumber(figure)} ${unit}`,
    goal: `at most ${formatNumber(limit)} ${unit}`,
    isMet: figure <= limit,
  };
}

/** Three digits or all before the point, in groups of three; an en dash for NaN. */
export function formatNumber(value: number): string {
  if (Number.isNaN(value)) return '–';
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return value.toLocaleString('en-US', {
    minimumFractionDigits: Number.isInteger(value) ? 0 : digits,
    maximumFractionDigits: digits,
  });
}
