// What the header of a proxy costs: sessions of a login and QUIT with it and without, by turns.

import type { Load } from '../load.js';
import { Mailstore } from '../mailstore.js';
import { atLeastTimes, formatNumber, type Bench, type Findings, type Part } from '../part.js';
import { inRounds, median } from '../rounds.js';
import { serverTitles, startServers, type Server } from '../servers.js';
import { shortSession, shortSessionUsers, warmUp } from '../short-session.js';

const sizes = {
  full: { rounds: 15, sessions: 4000 },
  quick: { rounds: 1, sessions: 200 },
} as const;
const concurrency = 16;

async function run({ load, scale, t }: Bench): Promise<Findings> {
  const { rounds, sessions } = sizes[scale];
  const store = new Mailstore(t);
  const user = store.addUsers(shortSessionUsers, { messages: 10, octets: 4000 });
  const site = await store.site();
  const servers = new Map<boolean, Server>();
  for (const isBehindProxy of [false, true]) {
    const [server] = await startServers(t, ['kept'], { ...site, isBehindProxy });
    if (server !== undefined) servers.set(isBehindProxy, server);
  }
  const session = (server: Server, hasProxyHeader: boolean): Load => ({
    ...shortSession(server, user),
    commands: [],
    hasProxyHeader,
  });
  for (const [isBehindProxy, server] of servers) {
    await load.run(t, { ...session(server, isBehindProxy), ...warmUp(scale, server) });
  }
  const figures = await inRounds(rounds, [...servers], async ([isBehindProxy, server]) => {
    const some = { concurrency, sessions };
    return (await load.run(t, { ...session(server, isBehindProxy), ...some })).perSecond;
  });
  const [without = NaN, behind = NaN] = [...figures.values()].map(median);
  return {
    tables: [
      {
        title: 'A login and QUIT',
        columns: ['server', 'sessions/s'],
        rows: [
          [serverTitles.kept, formatNumber(without)],
          [`${serverTitles.kept}, behind a proxy`, formatNumber(behind)],
        ],
      },
    ],
    goals: atLeastTimes(0.95, 'sessions/s behind a proxy, beside without', behind, without),
    charts: [],
    notes: [`${concurrency} at a time; medians of ${rounds} rounds of ${sessions} sessions each.`],
  };
}

export const proxy: Part = { name: 'proxy', title: 'What a PROXY header costs', run };
