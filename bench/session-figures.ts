// What popload prints, gathered over rounds into medians side by side.

/** As many accounts as popload's %d counts through. */
export const userCount = 50;

const servers = ['Dovecot', 'ours'] as const;
export type Server = (typeof servers)[number];

interface Figures {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

/** Runs the rounds, one server after the other in each, and prints a table. The first round warms both up and is not counted. */
export function writeTable(title: string, rounds: number, run: (server: Server) => string): void {
  const figures: Record<Server, Figures[]> = { Dovecot: [], ours: [] };
  for (let round = 0; round <= rounds; round += 1) {
    for (const server of servers) {
      const figure = parseFigures(run(server));
      if (round > 0) figures[server].push(figure);
    }
  }
  const row = (name: string, pick: (figure: Figures) => number): string => {
    const [dovecot, ours] = servers.map((server) => median(figures[server].map(pick)));
    const ratio = (ours ?? Number.NaN) / (dovecot ?? Number.NaN);
    const cells = [dovecot, ours].map((cell) => (cell ?? Number.NaN).toFixed(1).padStart(10));
    return `${name.padEnd(16)}${cells.join('')}${ratio.toFixed(2).padStart(8)}\n`;
  };
  process.stdout.write(
    `${title}, medians of ${rounds} rounds\n${''.padEnd(16)}   Dovecot      ours   ratio\n` +
      row('sessions/s', ({ perSecond }) => perSecond) +
      row('p50 ms', ({ p50 }) => p50) +
      row('p99 ms', ({ p99 }) => p99),
  );
}

function parseFigures(line: string): Figures {
  const value = (key: string): number =>
    Number(new RegExp(`\\b${key}=([0-9.]+)`).exec(line)?.[1] ?? Number.NaN);
  return {
    perSecond: value('sessions') / value('seconds'),
    p50: value('p50'),
    p99: value('p99'),
  };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
