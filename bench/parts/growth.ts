// Whether processes that serve many short sessions, one after the other, stop growing.

import { Mailstore } from '../mailstore.js';
import { atMost, formatNumber, type Bench, type Findings, type Part } from '../part.js';
import { childrenOf, ownMemoryKiB } from '../process-tree.js';
import { startServers } from '../servers.js';
import { shortSession, shortSessionUsers } from '../short-session.js';

/** What the heap may still take for compiled code, and what its garbage happens to come to. */
const tolerance = 1.05;
/** After how many sessions memory is looked at; the goal compares the last with `settled`. */
const sizes = {
  full: { counts: [1000, 3000, 10_000, 20_000, 50_000, 100_000], settled: 10_000 },
  quick: { counts: [100, 300], settled: 100 },
} as const;
const concurrency = 16;

interface Row {
  readonly sessions: number;
  readonly tcpsrunMiB: number;
  readonly workerMiB: number;
}

async function run({ load, scale, t }: Bench): Promise<Findings> {
  const { counts, settled } = sizes[scale];
  const store = new Mailstore(t);
  const user = store.addUsers(shortSessionUsers, { messages: 10, octets: 4000 });
  const [server] = await startServers(t, ['kept'], { ...(await store.site()), workers: 1 });
  if (server === undefined) throw new Error('no server');
  const [worker = Number.NaN] = childrenOf(server.pid);
  const rows: Row[] = [];
  let served = 0;
  for (const sessions of counts) {
    await load.run(t, { ...shortSession(server, user), concurrency, sessions: sessions - served });
    served = sessions;
    const [tcpsrunMiB, workerMiB] = [server.pid, worker].map((pid) => ownMemoryKiB(pid) / 1024);
    rows.push({ sessions, tcpsrunMiB: tcpsrunMiB ?? NaN, workerMiB: workerMiB ?? NaN });
  }
  const limits = rows.find(({ sessions }) => sessions === settled);
  const last = rows.at(-1);
  return {
    tables: [
      {
        title: 'Memory after so many sessions of LOGIN, STAT, LIST, UIDL, QUIT',
        columns: ['sessions', 'tcpsrun, MiB', 'kept worker, MiB'],
        rows: rows.map(({ sessions, tcpsrunMiB, workerMiB }) =>
          [sessions, tcpsrunMiB, workerMiB].map(formatNumber),
        ),
      },
    ],
    goals: (['tcpsrunMiB', 'workerMiB'] as const).map((process) =>
      atMost(
        tolerance * (limits?.[process] ?? NaN),
        `${process === 'tcpsrunMiB' ? 'tcpsrun' : 'a kept worker'} after ${formatNumber(last?.sessions ?? NaN)} sessions, beside ${formatNumber(settled)}`,
        last?.[process] ?? NaN,
        'MiB',
      ),
    ),
    charts: [],
    notes: [
      `What one worker and its tcpsrun have of their own, without the program’s file; ${concurrency} at a time.`,
    ],
  };
}

export const growth: Part = { name: 'growth', title: 'Memory after many sessions', run };
