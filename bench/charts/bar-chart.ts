// A chart of groups of bars that stand beside each other, each with its value above.

import { axisNames, frame, gridLine, plot, round, text, type Style } from './frame.js';
import { formatTick, linearScale } from './scale.js';

export interface BarChart {
  readonly kind: 'bars';
  readonly title: string;
  /** What the groups are, and what the y axis counts, with its unit. */
  readonly x: string;
  readonly y: string;
  readonly groups: readonly string[];
  readonly series: readonly BarSeries[];
}

export interface BarSeries extends Style {
  /** One for each group; NaN for none. */
  readonly values: readonly number[];
}

export function drawBarChart(chart: BarChart): string {
  const all = chart.series.flatMap(({ values }) => values.filter((value) => !Number.isNaN(value)));
  const ys = linearScale(all, plot.bottom, plot.top);
  const groupWidth = (plot.right - plot.left) / chart.groups.length;
  const barWidth = (groupWidth * 0.8) / chart.series.length;
  const grid = ys.ticks.map((tick) => gridLine(ys.place(tick), formatTick(tick))).join('');
  const names = chart.groups.map((group, index) =>
    text(plot.left + (index + 0.5) * groupWidth, plot.bottom + 20, group, 'label', 'middle'),
  );
  const bars = chart.series.flatMap(({ server, stroke, values }, place) =>
    values.flatMap((value, group) => {
      if (Number.isNaN(value)) return [];
      const x = plot.left + group * groupWidth + groupWidth * 0.1 + place * barWidth;
      const y = ys.place(value);
      const pale = stroke === 'dashed' ? ' pale' : '';
      return [
        `<rect class="solid ${server}${pale}" x="${round(x + 1)}" y="${round(y)}" width="${round(barWidth - 2)}" height="${round(plot.bottom - y)}"/>` +
          text(
            x + barWidth / 2,
            y - 5,
            formatTick(Number(value.toPrecision(3))),
            'label',
            'middle',
          ),
      ];
    }),
  );
  return frame(
    chart.title,
    chart.series,
    `${grid}${axisNames(chart.x, chart.y)}${[...names, ...bars].join('\n')}\n`,
  );
}
