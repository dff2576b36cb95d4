// Sessions a second and how long one takes: login, STAT, LIST, UIDL and QUIT on 10 messages, at 1, 16 and 128 connections.

import type { Figures } from '../load.js';
import { Mailstore } from '../mailstore.js';
import { atLeastTimes, formatNumber, type Bench, type Findings, type Part } from '../part.js';
import { inRounds, median } from '../rounds.js';
import {
  available,
  isProcessPerSession,
  serverNames,
  serverTitles,
  startServers,
  type Server,
  type ServerName,
} from '../servers.js';
import { shortSession, shortSessionUsers, warmUp } from '../short-session.js';

const sizes = {
  full: { concurrencies: [1, 16, 128], rounds: 5, slowRounds: 3, seconds: 1.5 },
  quick: { concurrencies: [1, 16, 40], rounds: 1, slowRounds: 1, seconds: 0.2 },
} as const;

interface Row {
  readonly server: ServerName;
  readonly concurrency: number;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

async function run({ load, scale, t }: Bench): Promise<Findings> {
  const { concurrencies, rounds, slowRounds, seconds } = sizes[scale];
  const store = new Mailstore(t);
  const user = store.addUsers(shortSessionUsers, { messages: 10, octets: 4000 });
  const servers = await startServers(t, available(...serverNames), await store.site());
  for (const server of servers)
    await load.run(t, { ...shortSession(server, user), ...warmUp(scale, server) });
  const rows: Row[] = [];
  for (const concurrency of concurrencies) {
    let round = 0;
    const measure = async (server: Server): Promise<Figures | undefined> => {
      const isFirst = server === servers[0];
      if (isFirst) round += 1;
      // They need fewer rounds, because each takes longer.
      if (isProcessPerSession(server.name) && round > slowRounds) return undefined;
      // It locks mailboxes: one session of a user at a time.
      if (server.name === 'popa3d' && concurrency > shortSessionUsers / 2) return undefined;
      return load.run(t, {
        ...shortSession(server, user),
        concurrency,
        sessions: 100_000,
        seconds,
      });
    };
    const figures = await inRounds(rounds, servers, measure);
    for (const [{ name }, measured] of figures) {
      const counted = measured.filter((figure) => figure !== undefined);
      if (counted.length === 0) continue;
      rows.push({
        server: name,
        concurrency,
        perSecond: median(counted.map(({ perSecond }) => perSecond)),
        p50: median(counted.map(({ session }) => session.p50)),
        p99: median(counted.map(({ session }) => session.p99)),
      });
    }
  }
  return findings(
    rows,
    `medians of ${rounds} rounds (${slowRounds} of the slow ones) of ${seconds} s`,
  );
}

function findings(rows: readonly Row[], how: string): Findings {
  const at16 = (server: ServerName): Row | undefined =>
    rows.find((row) => row.server === server && row.concurrency === 16);
  const [kept, tuned] = [at16('kept'), at16('tuned')];
  const what = 'PLAIN passwords, 16 at a time';
  const series = (pick: (row: Row) => number) =>
    serverNames
      .filter((server) => rows.some((row) => row.server === server))
      .map((server) => ({
        server,
        points: rows
          .filter((row) => row.server === server)
          .map((row) => [row.concurrency, pick(row)] as const),
      }));
  return {
    tables: [
      {
        title: 'Login, STAT, LIST, UIDL, QUIT on 10 messages',
        columns: ['server', 'connections', 'sessions/s', 'p50, ms', 'p99, ms'],
        rows: rows.map(({ server, concurrency, perSecond, p50, p99 }) => [
          serverTitles[server],
          ...[concurrency, perSecond, p50, p99].map(formatNumber),
        ]),
      },
    ],
    goals: [
      ...(kept === undefined
        ? []
        : atLeastTimes(2, `sessions/s, ${what}`, kept.perSecond, tuned?.perSecond)),
      ...(kept === undefined || tuned === undefined
        ? []
        : [
            {
              what: `p99 of a session, ${what}`,
              figure: `${formatNumber(kept.p99)} ms : ${formatNumber(tuned.p99)} ms`,
              goal: 'no worse',
              isMet: kept.p99 <= tuned.p99,
            },
          ]),
    ],
    charts: [
      {
        kind: 'lines',
        file: 'sessions-per-second',
        title: 'Sessions a second: login, STAT, LIST, UIDL, QUIT on 10 messages',
        x: 'connections at a time',
        y: 'sessions a second',
        yScale: 'logarithmic',
        series: series(({ perSecond }) => perSecond),
      },
      {
        kind: 'lines',
        file: 'session-latency',
        title: 'How long 99 of 100 such sessions take at most',
        x: 'connections at a time',
        y: 'milliseconds',
        yScale: 'logarithmic',
        series: series(({ p99 }) => p99),
      },
    ],
    notes: [
      `${shortSessionUsers} users, PLAIN passwords (popa3d: crypt(3)’s of MD5, and mbox files); ${how}.`,
    ],
  };
}

export const sessions: Part = { name: 'sessions', title: 'Short sessions', run };
