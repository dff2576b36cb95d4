// The same short sessions with accounts in a database server instead of a SQLite file. Rows of a server are read anew at each
// login: nothing tells that they did not change.

import { password } from '../load.js';
import { domain, Mailstore } from '../mailstore.js';
import { atLeastTimes, formatNumber, type Bench, type Findings, type Part } from '../part.js';
import { inRounds, median } from '../rounds.js';
import { startServers, type Server } from '../servers.js';
import { shortSession, shortSessionUsers, warmUp } from '../short-session.js';
import { startMariadb, unlessMariadb } from '../../test/support/peers/mariadb.js';
import { startPostgresql, unlessPostgresql } from '../../test/support/peers/postgresql.js';

const sizes = { full: { rounds: 5, seconds: 1.5 }, quick: { rounds: 1, seconds: 0.2 } } as const;
const concurrency = 16;

const rows = Array.from(
  { length: shortSessionUsers },
  (_, number) => `('u${number}', '${domain}', '{PLAIN}${password}', 'Y')`,
);
const accounts = `CREATE TABLE users (username VARCHAR(255), domain VARCHAR(255), password TEXT NOT NULL,
  active CHAR(1) NOT NULL DEFAULT 'Y', PRIMARY KEY (username, domain));
  INSERT INTO users VALUES ${rows.join(', ')};`;

interface Row {
  readonly source: string;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

async function run({ load, scale, t }: Bench): Promise<Findings> {
  const { rounds, seconds } = sizes[scale];
  const store = new Mailstore(t);
  const user = store.addUsers(shortSessionUsers, { messages: 10, octets: 4000 });
  const site = await store.site();
  const passdbs = new Map([['SQLite', site.passdb]]);
  if (unlessPostgresql() === false) {
    passdbs.set('PostgreSQL', (await startPostgresql(t, accounts)).uri);
  }
  if (unlessMariadb() === false) passdbs.set('MariaDB', (await startMariadb(t, accounts)).uri);
  const sources = new Map<Server, string>();
  for (const [source, passdb] of passdbs) {
    const [server] = await startServers(t, ['kept'], { ...site, passdb });
    if (server === undefined) continue;
    sources.set(server, source);
    await load.run(t, { ...shortSession(server, user), ...warmUp(scale, server) });
  }
  const figures = await inRounds(rounds, [...sources.keys()], (server) =>
    load.run(t, { ...shortSession(server, user), concurrency, sessions: 100_000, seconds }),
  );
  const measured = [...figures].map(([server, each]) => ({
    source: sources.get(server) ?? '',
    perSecond: median(each.map(({ perSecond }) => perSecond)),
    p50: median(each.map(({ session }) => session.p50)),
    p99: median(each.map(({ session }) => session.p99)),
  }));
  return findings(measured, `medians of ${rounds} rounds of ${seconds} s`);
}

function findings(measured: readonly Row[], how: string): Findings {
  const perSecond = (name: string): number | undefined =>
    measured.find(({ source }) => source === name)?.perSecond;
  return {
    tables: [
      {
        title: `Short sessions, ${concurrency} at a time, by where accounts are`,
        columns: ['accounts in', 'sessions/s', 'p50, ms', 'p99, ms'],
        rows: measured.map(({ source, ...row }) => [
          source,
          ...[row.perSecond, row.p50, row.p99].map(formatNumber),
        ]),
      },
    ],
    goals: ['PostgreSQL', 'MariaDB'].flatMap((source) => {
      const ours = perSecond(source);
      const what = `sessions/s, accounts in ${source} beside SQLite, ${concurrency} at a time`;
      return ours === undefined ? [] : atLeastTimes(0.5, what, ours, perSecond('SQLite'));
    }),
    charts: [],
    notes: [
      `${shortSessionUsers} users, PLAIN passwords, kept workers; ${how}. The servers are on the same machine, and take their part of it.`,
    ],
  };
}

export const accountSources: Part = { name: 'accounts', title: 'Account sources', run };
