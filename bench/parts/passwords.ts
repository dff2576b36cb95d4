// The same short sessions with passwords that cost time to verify. After the warm-up kept workers remember, as an HMAC, what
// they verified; tuned Dovecot remembers the stored password, and hashes what the client sent at each login.

import { Mailstore, type Scheme } from '../mailstore.js';
import { atLeastTimes, formatNumber, type Bench, type Findings, type Part } from '../part.js';
import { inRounds, median } from '../rounds.js';
import { available, serverTitles, startServers, type ServerName } from '../servers.js';
import { shortSession, shortSessionUsers, warmUp } from '../short-session.js';
import { Teardowns } from '../teardowns.js';

const sizes = { full: { rounds: 5, seconds: 1.5 }, quick: { rounds: 1, seconds: 0.2 } } as const;

const schemes: readonly Scheme[] = ['PLAIN', 'SHA512-CRYPT', 'ARGON2ID'];
const names = available('kept', 'tuned', 'shipped');
const concurrency = 16;

interface Row {
  readonly scheme: Scheme;
  readonly server: ServerName;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

async function run({ load, scale, t }: Bench): Promise<Findings> {
  const { rounds, seconds } = sizes[scale];
  const store = new Mailstore(t);
  const user = store.addUsers(shortSessionUsers, { messages: 10, octets: 4000 });
  const rows: Row[] = [];
  for (const scheme of schemes) {
    const running = new Teardowns();
    t.teardown(() => running.run());
    const servers = await startServers(running, names, await store.site(scheme));
    for (const server of servers) {
      await load.run(t, { ...shortSession(server, user), ...warmUp(scale, server) });
    }
    const figures = await inRounds(rounds, servers, (server) =>
      load.run(t, { ...shortSession(server, user), concurrency, sessions: 100_000, seconds }),
    );
    for (const [{ name }, measured] of figures) {
      rows.push({
        scheme,
        server: name,
        perSecond: median(measured.map(({ perSecond }) => perSecond)),
        p50: median(measured.map(({ session }) => session.p50)),
        p99: median(measured.map(({ session }) => session.p99)),
      });
    }
    await running.run();
  }
  return findings(rows, `medians of ${rounds} rounds of ${seconds} s`);
}

function findings(rows: readonly Row[], how: string): Findings {
  const perSecond = (server: ServerName, scheme: Scheme): number | undefined =>
    rows.find((row) => row.server === server && row.scheme === scheme)?.perSecond;
  return {
    tables: [
      {
        title: `Short sessions, ${concurrency} at a time, by how passwords are stored`,
        columns: ['password, server', 'sessions/s', 'p50, ms', 'p99, ms'],
        rows: rows.map((row) => [
          `${row.scheme}, ${serverTitles[row.server]}`,
          ...[row.perSecond, row.p50, row.p99].map(formatNumber),
        ]),
      },
    ],
    goals: atLeastTimes(
      1,
      `sessions/s, SHA512-CRYPT passwords, ${concurrency} at a time`,
      perSecond('kept', 'SHA512-CRYPT') ?? Number.NaN,
      perSecond('tuned', 'SHA512-CRYPT'),
    ),
    charts: [
      {
        kind: 'bars',
        file: 'passwords',
        title: `Sessions a second by password scheme, ${concurrency} at a time`,
        x: 'how passwords are stored',
        y: 'sessions a second',
        groups: schemes,
        series: names.map((server) => ({
          server,
          values: schemes.map((scheme) => perSecond(server, scheme) ?? Number.NaN),
        })),
      },
    ],
    notes: [
      `${shortSessionUsers} users; ${how}. Kept workers remember what they verified; tuned Dovecot (auth_cache_size) ` +
        'remembers stored passwords, and hashes what the client sent at each login.',
    ],
  };
}

export const passwords: Part = { name: 'passwords', title: 'Password schemes', run };
