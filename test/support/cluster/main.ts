// A cluster under load, in which things fail. Run in a room of its own: test/support/cluster/room.ts. Prints a line of figures, then
// one for each event, then what was wrong, and exits 1 when something was.

import { execFileSync } from 'node:child_process';
import { seededRandom } from '../../torture/random.js';
import { ClusterTrial } from './cluster-trial.js';
import { startCluster } from './cluster.js';
import { Load } from './load.js';
import { MailLedger } from './mail-ledger.js';
import type { TrialOptions } from './room.js';
import { settle } from './settle.js';

const { folder, storage, terms, leastDelivered, seed } = JSON.parse(
  process.argv[2] ?? '',
) as TrialOptions & {
  readonly folder: string;
};
// Whoever started it is gone.
process.stdin.resume().once('end', () => process.exit(1));
// Nobody outside sees what is put there.
execFileSync('mount', ['-t', 'tmpfs', 'none', '/run']);

const accounts = makeAccounts('u', 20);
const watched = makeAccounts('w', 6);
const changing = 'c0';
const everybody = new Map([...accounts, ...watched, [changing, 'secret 0']]);

function makeAccounts(letter: string, count: number): ReadonlyMap<string, string> {
  return new Map(
    Array.from({ length: count }, (_, index) => [`${letter}${index}`, `secret ${index}`]),
  );
}

const startedMs = performance.now();
// All ends with this process.
const cluster = await startCluster(
  { teardown: () => undefined },
  { folder, storage, accounts: everybody },
);
const loadedMs = performance.now();
const ledger = new MailLedger(terms.visibleMs);
const random = seededRandom(seed);
const load = new Load({
  server: cluster.balancer,
  accounts,
  mailRoots: cluster.nodes.map(({ mailRoot }) => mailRoot),
  ledger,
  random,
});
const trial = new ClusterTrial({ cluster, load, ledger, random, watched, changing }, terms);
do await trial.haveRound();
while (ledger.deliveredCount < leastDelivered);
await load.end();
await settle(cluster, ledger, [...everybody.keys()]);

const figures = {
  startSeconds: Math.round((loadedMs - startedMs) / 1000),
  seconds: Math.round((performance.now() - loadedMs) / 1000),
  ...{ delivered: ledger.deliveredCount, removed: ledger.removedCount, ghosts: ledger.ghosts },
  ...load.counts,
  ownDelayMs: Math.round(load.ownDelayMs),
};
const line = Object.entries(figures).map(([name, value]) => `${name}=${value}`);
console.log([line.join(' '), ...trial.figures, '', ...ledger.faults].join('\n'));
process.exit(ledger.faults.length === 0 ? 0 : 1);
