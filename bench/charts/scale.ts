// From values to places along an axis, and which values to write beside it.

export interface Scale {
  readonly place: (value: number) => number;
  readonly ticks: readonly number[];
}

/** From 0 to a round number above all values. */
export function linearScale(values: readonly number[], from: number, to: number): Scale {
  const most = Math.max(...values, Number.MIN_VALUE);
  const power = 10 ** Math.floor(Math.log10(most));
  const step =
    [0.2, 0.5, 1, 2].map((part) => part * power).find((size) => most / size <= 6) ?? power;
  const top = Math.ceil(most / step) * step;
  const count = Math.round(top / step);
  return {
    place: (value) => from + (value / top) * (to - from),
    ticks: Array.from({ length: count + 1 }, (_, index) => index * step),
  };
}

/** Whole powers of ten around all values, which are above 0. */
export function logarithmicScale(values: readonly number[], from: number, to: number): Scale {
  const lowest = Math.floor(Math.log10(Math.min(...values)) + 1e-9);
  const highest = Math.max(lowest + 1, Math.ceil(Math.log10(Math.max(...values)) - 1e-9));
  return {
    place: (value) => from + ((Math.log10(value) - lowest) / (highest - lowest)) * (to - from),
    ticks: Array.from({ length: highest - lowest + 1 }, (_, index) => 10 ** (lowest + index)),
  };
}

/** Equal factors are equally far apart, from the lowest to the highest value with a margin; the ticks are the values. */
export function valuesScale(values: readonly number[], from: number, to: number): Scale {
  const ticks = [...new Set(values)].sort((one, other) => one - other);
  const [low = 1, high = 1] = [ticks[0], ticks.at(-1)];
  const span = Math.log(high / low) || 1;
  const margin = (to - from) * 0.06;
  return {
    place: (value) => from + margin + (Math.log(value / low) / span) * (to - from - 2 * margin),
    ticks,
  };
}

/** As people write sizes: 5, 1,000, 0.2. */
export function formatTick(value: number): string {
  return value.toLocaleString('en-US', { maximumSignificantDigits: 6 });
}
