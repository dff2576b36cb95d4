// How long a maildrop takes to open (login, STAT, LIST, UIDL, QUIT): the first time and again, by its number of messages;
// and what other sessions of the same worker notice of it.

import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Load, Times } from '../load.js';
import { Mailstore } from '../mailstore.js';
import { atMost, formatNumber, type Bench, type Findings, type Part } from '../part.js';
import { inRounds, median } from '../rounds.js';
import {
  available,
  isOurs,
  serverTitles,
  startServers,
  type Server,
  type ServerName,
} from '../servers.js';
import { warmUp } from '../short-session.js';

/** Small ones take turns often, and are opened again ten times in a row: a single session of a millisecond says little. */
const sizes = {
  full: [
    { messages: 10, rounds: 21, again: 10 },
    { messages: 1000, rounds: 21, again: 10 },
    { messages: 100_000, rounds: 3, again: 1 },
  ],
  quick: [
    { messages: 10, rounds: 1, again: 2 },
    { messages: 100, rounds: 1, again: 2 },
    { messages: 2000, rounds: 1, again: 1 },
  ],
} as const;

/** Dovecot as shipped opens a maildrop as it does when tuned. */
const names = available('kept', 'spawned', 'tuned');

const commands = ['STAT', 'LIST', 'UIDL'] as const;

interface Row {
  readonly server: ServerName;
  readonly messages: number;
  readonly firstMs: number;
  readonly againMs: number;
}

async function run({ load, scale, t }: Bench): Promise<Findings> {
  const counts = sizes[scale].map(({ messages }) => messages);
  const store = new Mailstore(t);
  const other = store.addUser('other', { messages: 10, octets: 1500 });
  for (const messages of counts) store.addUser(`m${messages}`, { messages, octets: 1500 });
  const servers = await startServers(t, names, { ...(await store.site()), workers: 1 });
  for (const server of servers) {
    const { port } = server;
    await load.run(t, { port, user: other, commands, ...warmUp(scale, server) });
  }

  const session = ({ port }: Server, messages: number, sessions: number): Load => ({
    port,
    user: `m${messages}@example.org`,
    commands,
    sessions,
  });
  const open = async (server: Server, messages: number, sessions = 1): Promise<number> =>
    (await load.run(t, session(server, messages, sessions))).session.p50;
  const openFirst = async (server: Server, messages: number): Promise<number> => {
    forget(server, store.inbox(`m${messages}`));
    store.moveHalfToNew(`m${messages}`);
    return open(server, messages);
  };

  const rows: Row[] = [];
  for (const { messages, rounds, again } of sizes[scale]) {
    const figures = await inRounds(rounds, servers, async (server) => ({
      firstMs: await openFirst(server, messages),
      againMs: await open(server, messages, again),
    }));
    for (const [{ name }, measured] of figures) {
      const firstMs = median(measured.map((figure) => figure.firstMs));
      const againMs = median(measured.map((figure) => figure.againMs));
      rows.push({ server: name, messages, firstMs, againMs });
    }
  }

  const most = Math.max(...counts);
  const rounds = sizes[scale][2].rounds;
  const waits: Times[] = [];
  const [worker] = servers;
  for (let round = 0; round < rounds && worker !== undefined; round += 1) {
    const { port } = worker;
    const probe = await load.start(t, { port, user: other, commands: ['NOOP*'] });
    await openFirst(worker, most);
    waits.push((await probe.end()).noop);
  }
  return findings(rows, waits, { most, rounds });
}

/** Makes a server forget what it knows of a maildrop. */
function forget({ name }: Server, inbox: string): void {
  const prefix = isOurs(name) ? 'pop3d.' : 'dovecot';
  for (const file of readdirSync(inbox)) {
    if (file.startsWith(prefix)) rmSync(join(inbox, file));
  }
}

function findings(
  rows: readonly Row[],
  waits: readonly Times[],
  { most, rounds }: { readonly most: number; readonly rounds: number },
): Findings {
  const p99 = median(waits.map((times) => times.p99));
  const max = median(waits.map((times) => times.max));
  const points = (name: ServerName, pick: (row: Row) => number) =>
    rows.filter(({ server }) => server === name).map((row) => [row.messages, pick(row)] as const);
  return {
    tables: [
      {
        title: 'Opening a maildrop: login, STAT, LIST, UIDL, QUIT',
        columns: ['server', 'messages', 'first time, ms', 'again, ms'],
        rows: rows.map(({ server, messages, firstMs, againMs }) => [
          serverTitles[server],
          ...[messages, firstMs, againMs].map(formatNumber),
        ]),
      },
      {
        title: `NOOPs of another session while the same worker opens ${formatNumber(most)} messages for the first time`,
        columns: ['server', 'p99, ms', 'slowest, ms'],
        rows: [[serverTitles.kept, formatNumber(p99), formatNumber(max)]],
      },
    ],
    goals: [
      atMost(
        50,
        `p99 of another session’s commands while ${formatNumber(most)} messages are opened`,
        p99,
        'ms',
      ),
    ],
    charts: [
      {
        kind: 'lines',
        file: 'opening',
        title: 'Opening a maildrop: login, STAT, LIST, UIDL, QUIT',
        x: 'messages in it',
        y: 'milliseconds',
        yScale: 'logarithmic',
        series: names.flatMap((server) => [
          { server, variant: 'first', points: points(server, ({ firstMs }) => firstMs) },
          {
            server,
            variant: 'again',
            stroke: 'dashed' as const,
            points: points(server, ({ againMs }) => againMs),
          },
        ]),
      },
    ],
    notes: [
      'Messages of 1.5 kB. Medians of 21 rounds, and again of ten sessions in each; with the most messages of ' +
        `${rounds} rounds. First: half of the mail in new, nothing known of it, files cached by the system. One NOOP a ` +
        'millisecond. Dovecot as shipped opens as it does when tuned, so it is left out.',
    ],
  };
}

export const opening: Part = { name: 'opening', title: 'Opening a maildrop', run };
