// Findings as Markdown, and the files of a whole run.

import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { drawBarChart } from './charts/bar-chart.js';
import { drawLineChart } from './charts/line-chart.js';
import type { Machine } from './machine.js';
import type { Chart, Findings, Goal, Part, Table } from './part.js';

export interface Outcome {
  readonly part: Part;
  readonly findings: Findings;
}

/** One line: what, the figure, the goal, and whether it is met. */
export function formatGoal({ what, figure, goal, isMet }: Goal): string {
  return `${isMet ? 'met    ' : 'NOT MET'}  ${what}: ${figure} (goal: ${goal})`;
}

/** As Markdown, padded so that it reads on a terminal too. */
export function formatTable({ title, columns, rows }: Table): string {
  const widths = columns.map((column, index) =>
    Math.max(column.length, 4, ...rows.map((row) => row[index]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, index) => (index === 0 ? cell.padEnd(widths[index] ?? 0) : cell.padStart(widths[index] ?? 0))).join(' | ')} |\n`;
  const rule = widths.map((width, index) =>
    index === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  );
  return `**${title}**\n\n${line(columns)}${line(rule)}${rows.map(line).join('')}`;
}

/** Writes `DATE-MACHINE.md` and a file for each chart; what an earlier run left in the folder goes. @returns the path of the first */
export function writeResults(
  folder: string,
  machine: Machine,
  command: string,
  outcomes: readonly Outcome[],
): string {
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(folder)) {
    if (/\.(?:md|svg)$/.test(name)) rmSync(join(folder, name));
  }
  for (const { findings } of outcomes) {
    for (const chart of findings.charts) {
      writeFileSync(join(folder, `${chart.file}.svg`), drawChart(chart));
    }
  }
  const date = new Date().toISOString().slice(0, 10);
  const path = join(folder, `${date}-${machine.slug}.md`);
  writeFileSync(path, formatResults(date, machine, command, outcomes));
  return path;
}

function formatResults(
  date: string,
  machine: Machine,
  command: string,
  outcomes: readonly Outcome[],
): string {
  const facts = machine.facts.map(([name, value]) => `- ${name}: ${value}\n`).join('');
  const goals = outcomes.flatMap(({ findings }) => findings.goals);
  return [
    `# Measured on ${date}\n`,
    `\`${command}\`, on one machine with the load generator:\n\n${facts}`,
    formatTable({
      title: 'Goals',
      columns: ['what', 'figure', 'goal', ''],
      rows: goals.map(({ what, figure, goal, isMet }) => [
        what,
        figure,
        goal,
        isMet ? 'met' : 'not met',
      ]),
    }),
    ...outcomes.map(formatPart),
  ].join('\n');
}

function formatPart({ part, findings }: Outcome): string {
  return [
    `## ${part.title}\n`,
    ...findings.notes.map((note) => `${note}\n`),
    ...findings.tables.map(formatTable),
    ...findings.charts.map(({ file, title }) => `![${title}](${file}.svg)\n`),
  ].join('\n');
}

function drawChart(chart: Chart): string {
  return chart.kind === 'lines' ? drawLineChart(chart) : drawBarChart(chart);
}
