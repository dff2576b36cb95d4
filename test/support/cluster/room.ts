// A room for a cluster: network, mounts and processes of its own, which all end with it. Nothing of the machine is touched, so
// that its hosts can have the addresses of mail-cluster(7).

import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { unlessFuse } from '../mail/fuse-file-system.js';
import { skipOrFail, unlessInstalled } from '../peers/debian.js';
import { unlessPostgresql } from '../peers/postgresql.js';
import { builtProgram, startCommand, type Teardown } from '../programs/run-program.js';
import { deadline } from '../suite/deadline.js';
import type { TrialTerms } from './cluster-trial.js';
import type { Storage } from './cluster.js';

export interface TrialOptions {
  readonly storage: Storage;
  readonly terms: TrialTerms;
  /** Rounds go on until so many messages were delivered. */
  readonly leastDelivered: number;
  readonly seed: number;
}

export interface TrialResult {
  readonly figures: readonly string[];
  readonly failures: readonly string[];
}

const room = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
/** Calls on files that wait for storage must not hold up all others. */
const fileThreads = '64';

const storagePrograms = {
  GlusterFS: ['glusterd', 'gluster', 'glusterfs'],
  CephFS: ['ceph-mon', 'ceph-osd', 'ceph-mds', 'ceph-mgr', 'ceph-fuse', 'ceph', 'monmaptool'],
} as const;

/** For tap's `skip` option. */
export function unlessCluster(storage: Storage): string | false {
  const missing =
    unlessFuse() ||
    unlessInstalled(...storagePrograms[storage], 'haproxy', 'ip', 'nsenter', 'cc') ||
    unlessPostgresql();
  if (missing !== false) return missing;
  const { status } = spawnSync('unshare', [...room, 'ip', 'netns', 'list']);
  return status === 0 ? false : skipOrFail('unshare(1) makes no namespaces here');
}

/** Starts a cluster and its load, lets all happen to it, and compares what is left with the ledger. */
export async function tryCluster(
  t: Teardown,
  options: TrialOptions,
  withinMs: number,
): Promise<TrialResult> {
  const folder = mkdtempSync(join(tmpdir(), 'pop3-cluster-'));
  chmodSync(folder, 0o755);
  t.teardown(() => rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }));
  const main = builtProgram('test/support/cluster/main.js');
  const program = startCommand(
    t,
    'unshare',
    [...room, '--', process.execPath, main, JSON.stringify({ folder, ...options })],
    { env: { TMPDIR: folder, UV_THREADPOOL_SIZE: fileThreads } },
  );
  const output = text(program.stdout);
  // Its input stays open: it ends with this process, however that does.
  const { status } = await deadline(program.ending, withinMs, () => program.stderr);
  const [figures = '', failures = ''] = (await output).trimEnd().split('\n\n');
  const isExplained = status === 0 || failures !== '';
  return {
    figures: figures.split('\n'),
    failures: [
      ...failures.split('\n').filter((line) => line !== ''),
      ...(isExplained ? [] : [`exit ${String(status)}: ${program.stderr}`]),
    ],
  };
}
