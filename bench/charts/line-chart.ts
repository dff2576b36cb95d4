// A chart of how figures grow with a size: the size on a logarithmic x axis, a marked line for each series.

import { axisNames, frame, gridLine, plot, round, seriesTitle, text, type Style } from './frame.js';
import { formatTick, linearScale, logarithmicScale, valuesScale } from './scale.js';

export interface LineChart {
  readonly kind: 'lines';
  readonly title: string;
  /** What each axis counts, with its unit. */
  readonly x: string;
  readonly y: string;
  readonly yScale: 'linear' | 'logarithmic';
  readonly series: readonly Series[];
}

export interface Series extends Style {
  /** Pairs of x, above 0, and y. */
  readonly points: readonly (readonly [number, number])[];
}

export function drawLineChart(chart: LineChart): string {
  const points = chart.series.flatMap((series) => series.points);
  const xs = valuesScale(
    points.map(([x]) => x),
    plot.left,
    plot.right,
  );
  const ys = (chart.yScale === 'linear' ? linearScale : logarithmicScale)(
    points.map(([, y]) => y),
    plot.bottom,
    plot.top,
  );
  const grid = ys.ticks.map((tick) => gridLine(ys.place(tick), formatTick(tick))).join('');
  const sizes = xs.ticks
    .map((tick) => text(xs.place(tick), plot.bottom + 20, formatTick(tick), 'label', 'middle'))
    .join('\n');
  const lines = chart.series.map((series) => {
    const places = series.points.map(([x, y]) => [round(xs.place(x)), round(ys.place(y))] as const);
    const dashes = series.stroke === 'dashed' ? ' dashed' : '';
    const marks = places.map(
      ([x, y], index) =>
        `<circle class="solid ${series.server}" cx="${x}" cy="${y}" r="4"><title>${seriesTitle(series)}: ${formatTick(series.points[index]?.[1] ?? 0)}</title></circle>`,
    );
    return `<polyline class="line ${series.server}${dashes}" points="${places.map(([x, y]) => `${x},${y}`).join(' ')}"/>
${marks.join('')}
`;
  });
  return frame(
    chart.title,
    chart.series,
    `${grid}${axisNames(chart.x, chart.y)}${sizes}\n${lines.join('')}`,
  );
}
