// What a short session costs, whoever else uses the machine: processor time and system calls of tcpsrun and of a kept worker.
// Beside another build, such as the last release, it shows what a change costs.

import { Mailstore } from '../mailstore.js';
import { formatNumber, type Bench, type Findings, type Part } from '../part.js';
import { childrenOf } from '../process-tree.js';
import { processorMsOf } from '../processor-time.js';
import { inRounds, median } from '../rounds.js';
import { startServers, type Server } from '../servers.js';
import { shortSession, shortSessionUsers, warmUp } from '../short-session.js';
import { countSystemCalls } from '../system-calls.js';
import { tryFindProgram } from '../../test/support/peers/debian.js';

const sizes = {
  full: { rounds: 7, sessions: 3000, counted: 1000 },
  quick: { rounds: 1, sessions: 200, counted: 100 },
} as const;
const concurrency = 16;

/** A process whose cost is measured. */
interface Subject {
  readonly title: string;
  readonly server: Server;
  readonly pid: number;
}

async function run({ load, scale, before, t }: Bench): Promise<Findings> {
  const { rounds, sessions, counted } = sizes[scale];
  const store = new Mailstore(t);
  const user = store.addUsers(shortSessionUsers, { messages: 10, octets: 4000 });
  const site = { ...(await store.site()), workers: 1 };
  const servers: Server[] = [];
  const subjects: Subject[] = [];
  const builds = before === undefined ? [undefined] : [undefined, before];
  for (const project of builds) {
    const [server] = await startServers(t, ['kept'], { ...site, project });
    if (server === undefined) continue;
    servers.push(server);
    await load.run(t, { ...shortSession(server, user), ...warmUp(scale, server) });
    const of = project === undefined ? '' : `, ${project}`;
    const [worker = Number.NaN] = childrenOf(server.pid);
    subjects.push({ title: `tcpsrun${of}`, server, pid: server.pid });
    subjects.push({ title: `kept worker${of}`, server, pid: worker });
  }
  const some = (server: Server, count: number) =>
    load.run(t, { ...shortSession(server, user), concurrency, sessions: count });
  const times = await inRounds(rounds, servers, async (server) => {
    const own = subjects.filter((subject) => subject.server === server);
    const from = own.map(({ pid }) => processorMsOf(pid));
    await some(server, sessions);
    return own.map(
      ({ pid }, index) => ((processorMsOf(pid) - (from[index] ?? 0)) * 1000) / sessions,
    );
  });
  const calls = new Map<Subject, number>();
  for (const subject of tryFindProgram('strace') === null ? [] : subjects) {
    const stop = await countSystemCalls(t, subject.pid, site.folder);
    await some(subject.server, counted);
    calls.set(subject, (await stop()) / counted);
  }
  const rows = subjects.map((subject) => {
    const index = subjects.filter(({ server }) => server === subject.server).indexOf(subject);
    const each = times.get(subject.server)?.map((figures) => figures[index] ?? Number.NaN) ?? [];
    return { ...subject, micros: median(each), calls: calls.get(subject) ?? Number.NaN };
  });
  return {
    tables: [
      {
        title: 'A session: login, STAT, LIST, UIDL, QUIT on 10 messages',
        columns: ['process', 'processor time, µs', 'system calls'],
        rows: rows.map((row) => [row.title, ...[row.micros, row.calls].map(formatNumber)]),
      },
    ],
    goals: [],
    charts: [],
    notes: [
      `${shortSessionUsers} users, PLAIN passwords, ${concurrency} at a time, one worker; medians of ${rounds} rounds of ${sessions} sessions; calls counted over ${counted}.`,
    ],
  };
}

export const cost: Part = { name: 'cost', title: 'What a short session costs', run };
