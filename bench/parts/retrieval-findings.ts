// What was measured of RETR as tables, goals and charts.

import { atLeastTimes, formatNumber, type Chart, type Findings } from '../part.js';
import { serverTitles, type ServerName } from '../servers.js';
import type { RetrievalCase } from './retrieval-cases.js';

export interface RetrievalRow {
  readonly retrieval: RetrievalCase;
  /** In the case's unit; without servers that were left out. */
  readonly perSecond: ReadonlyMap<ServerName, number>;
}

const names = ['kept', 'tuned', 'shipped'] as const;

export function retrievalFindings(rows: readonly RetrievalRow[], rounds: number): Findings {
  const isIn = (unit: RetrievalCase['unit']) => rows.filter((row) => row.retrieval.unit === unit);
  const inTheClear = rows.filter(
    ({ retrieval: { security, contents } }) => security === 'clear' && contents.lineEnd === 'LF',
  );
  return {
    tables: [
      {
        title: 'RETR by the size of messages, one by one, MB/s',
        columns: ['messages', ...names.map((name) => serverTitles[name])],
        rows: isIn('MB/s').map(cells),
      },
      {
        title: 'RETR of many small messages, messages/s',
        columns: ['messages', ...names.map((name) => serverTitles[name])],
        rows: isIn('messages/s').map(cells),
      },
    ],
    goals: rows.flatMap(({ retrieval, perSecond }) =>
      retrieval.goal === undefined
        ? []
        : atLeastTimes(
            retrieval.goal,
            `${retrieval.unit}, RETR of ${describe(retrieval)}`,
            perSecond.get('kept') ?? Number.NaN,
            perSecond.get('tuned'),
          ),
    ),
    charts: [bySize(inTheClear), byCount(inTheClear)],
    notes: [
      `One client, one worker. From the first RETR to the last octet, medians of ${rounds} rounds after one that is not counted; files cached by the system, maildrops ` +
        'opened before. MB are millions of octets as sent. Pipelined: 256 RETRs on the way at a time. Dovecot as shipped retrieves as it ' +
        'does when tuned; it is there where a goal is.',
    ],
  };
}

function describe({ contents, security, window, unit }: RetrievalCase): string {
  const { messages, octets, lineEnd } = contents;
  const size = octets < 1_000_000 ? `${octets / 1000} kB` : `${octets / 1_000_000} MB`;
  const way = window === 1 ? 'one by one' : 'pipelined';
  return [
    `${formatNumber(messages)} × ${size}`,
    `${lineEnd} files`,
    ...(security === 'stls' ? ['TLS'] : []),
    ...(unit === 'messages/s' ? [way] : []),
  ].join(', ');
}

function cells({ retrieval, perSecond }: RetrievalRow): string[] {
  return [
    describe(retrieval),
    ...names.map((name) => formatNumber(perSecond.get(name) ?? Number.NaN)),
  ];
}

/** Only servers that were measured at every size. */
function series(
  rows: readonly RetrievalRow[],
  size: (retrieval: RetrievalCase) => number,
): { readonly server: ServerName; readonly points: (readonly [number, number])[] }[] {
  return names
    .map((server) => ({
      server,
      points: rows.flatMap(({ retrieval, perSecond }) => {
        const speed = perSecond.get(server);
        return speed === undefined ? [] : [[size(retrieval), speed] as const];
      }),
    }))
    .filter(({ points }) => points.length === rows.length);
}

function bySize(rows: readonly RetrievalRow[]): Chart {
  const inMegabytes = rows.filter(({ retrieval }) => retrieval.unit === 'MB/s');
  return {
    kind: 'lines',
    file: 'retrieval-by-size',
    title: 'RETR by the size of messages (LF files, in the clear)',
    x: 'octets of each message',
    y: 'MB a second',
    yScale: 'linear',
    series: series(inMegabytes, ({ contents }) => contents.octets),
  };
}

function byCount(rows: readonly RetrievalRow[]): Chart {
  const inMessages = rows.filter(({ retrieval }) => retrieval.unit === 'messages/s');
  const ways = [
    { variant: 'pipelined', stroke: 'solid', isIn: (window: number) => window > 1 },
    { variant: 'one by one', stroke: 'dashed', isIn: (window: number) => window === 1 },
  ] as const;
  return {
    kind: 'lines',
    file: 'retrieval-by-count',
    title: 'RETR of many small messages (LF files, in the clear)',
    x: 'messages in the maildrop',
    y: 'messages a second',
    yScale: 'linear',
    series: ways.flatMap(({ variant, stroke, isIn }) =>
      series(
        inMessages.filter(({ retrieval }) => isIn(retrieval.window)),
        ({ contents }) => contents.messages,
      ).map((each) => ({ ...each, variant, stroke })),
    ),
  };
}
