// What sessions that are logged in and say nothing cost in memory: proportional set sizes of all of a server's processes.

import type { StartedLoad } from '../load.js';
import { Mailstore } from '../mailstore.js';
import { atMost, formatNumber, type Bench, type Findings, type Part } from '../part.js';
import { treeMemoryKiB } from '../process-tree.js';
import {
  available,
  serverNames,
  serverTitles,
  startServers,
  type Server,
  type ServerName,
} from '../servers.js';
import { shortSession, shortSessionUsers, warmUp } from '../short-session.js';
import { Teardowns } from '../teardowns.js';

const sizes = {
  full: { counts: [100, 300, 1000], ownProcessCounts: [3, 10], settleMs: 2000 },
  quick: { counts: [20, 60], ownProcessCounts: [2], settleMs: 200 },
} as const;

/** A thousand processes of Node's would need more memory than most machines have. */
const ownProcess: readonly ServerName[] = ['ahead', 'spawned', 'popa3d'];

interface Row {
  readonly server: ServerName;
  readonly sessions: number;
  readonly totalKiB: number;
  /** Without sessions. */
  readonly baseKiB: number;
  /** What was there before the last ones came. */
  readonly before: { readonly sessions: number; readonly totalKiB: number };
}

async function run({ load, scale, t }: Bench): Promise<Findings> {
  const { counts, ownProcessCounts, settleMs } = sizes[scale];
  const store = new Mailstore(t);
  const user = store.addUsers(shortSessionUsers, { messages: 10, octets: 4000 });
  const site = await store.site();
  const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, settleMs));

  const measure = async (server: Server, sessions: readonly number[]): Promise<readonly Row[]> => {
    // V8's heap and Dovecot's spare processes have grown to what the load needs before anything is counted.
    await load.run(t, { ...shortSession(server, user), ...warmUp(scale, server) });
    await settle();
    const baseKiB = treeMemoryKiB(server.pid);
    const rows: Row[] = [];
    const held: StartedLoad[] = [];
    let before = { sessions: 0, totalKiB: baseKiB };
    for (const count of sessions) {
      const more = {
        concurrency: 8,
        sessions: count - before.sessions,
        commands: ['STAT', 'HOLD'],
      };
      held.push(await load.start(t, { ...shortSession(server, user), ...more }));
      await settle();
      const totalKiB = treeMemoryKiB(server.pid);
      rows.push({ server: server.name, sessions: count, totalKiB, baseKiB, before });
      before = { sessions: count, totalKiB };
    }
    for (const sessionsHeld of held) await sessionsHeld.end();
    return rows;
  };

  const rows: Row[] = [];
  for (const name of available(...serverNames)) {
    const running = new Teardowns();
    t.teardown(() => running.run());
    for (const server of await startServers(running, [name], site)) {
      rows.push(...(await measure(server, ownProcess.includes(name) ? ownProcessCounts : counts)));
    }
    await running.run();
  }
  return findings(rows);
}

function addedKiB({ totalKiB, baseKiB, sessions }: Row): number {
  return (totalKiB - baseKiB) / sessions;
}

/** Since the row before: free of what a server has to grow by once. */
function addedByFurtherKiB({ totalKiB, sessions, before }: Row): number {
  return (totalKiB - before.totalKiB) / (sessions - before.sessions);
}

function findings(rows: readonly Row[]): Findings {
  const kept = rows.filter(({ server }) => server === 'kept').at(-1);
  return {
    tables: [
      {
        title: 'Memory of idle sessions, logged in',
        columns: [
          'server',
          'sessions',
          'added by each, KiB',
          'by each further one, KiB',
          'before, MiB',
          'in all, MiB',
        ],
        rows: rows.map((row) => [
          serverTitles[row.server],
          ...[
            row.sessions,
            addedKiB(row),
            addedByFurtherKiB(row),
            row.baseKiB / 1024,
            row.totalKiB / 1024,
          ].map(formatNumber),
        ]),
      },
    ],
    goals:
      kept === undefined
        ? []
        : [
            atMost(
              40,
              `memory of each of ${formatNumber(kept.sessions)} idle sessions`,
              // A collection of garbage meanwhile makes one of them too low.
              Math.max(addedKiB(kept), addedByFurtherKiB(kept)),
              'KiB',
            ),
          ],
    charts: [
      {
        kind: 'lines',
        file: 'idle-memory',
        title: 'Memory of a server with idle sessions',
        x: 'sessions logged in',
        y: 'MiB in all (proportional set size)',
        yScale: 'linear',
        series: serverNames
          .filter((server) => rows.some((row) => row.server === server))
          .map((server) => ({
            server,
            points: rows
              .filter((row) => row.server === server)
              .map((row) => [row.sessions, row.totalKiB / 1024] as const),
          })),
      },
    ],
    notes: [
      'Proportional set sizes of all processes of a server, after the warm-up of short sessions. Garbage that V8 has not ' +
        'collected yet counts like everything else; the goal is for the larger one of the two figures for each session. ' +
        'Servers that start a process of Node’s for each session get only a few.',
    ],
  };
}

export const idleMemory: Part = { name: 'idle-memory', title: 'Memory of idle sessions', run };
