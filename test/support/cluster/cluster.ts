// The cluster of mail-cluster(7): three nodes, each with a part of GlusterFS or CephFS, a mount and tcpsrun; HAProxy; PostgreSQL
// with a standby. Its parts live as long as the room of test/support/cluster/room.ts.

import { mkdirSync } from 'node:fs';
import { chown, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { mailOwner } from '../mail/shared-mailstore.js';
import type { Teardown } from '../programs/run-program.js';
import { startBalancer } from './parts/balancer.js';
import { CephVolume } from './parts/ceph-volume.js';
import { DatabaseHosts } from './parts/database-hosts.js';
import { FrontNode } from './parts/front-node.js';
import { GlusterVolume } from './parts/gluster-volume.js';
import { addHost, makeSwitch, type Host } from './parts/hosts.js';
import { ShiftedClock } from './parts/shifted-clock.js';
import type { Volume } from './parts/volume.js';

export interface ClusterNode {
  readonly host: Host;
  readonly front: FrontNode;
  /** Where it has mounted the volume. */
  readonly mountPoint: string;
  readonly mailRoot: string;
}

export interface Cluster {
  readonly nodes: readonly [ClusterNode, ClusterNode, ClusterNode];
  readonly volume: Volume;
  readonly balancer: string;
  readonly databases: DatabaseHosts;
}

export interface ClusterOptions {
  /** For all that it writes. */
  readonly folder: string;
  /** Passwords by user, of example.org. */
  readonly accounts: ReadonlyMap<string, string>;
  readonly storage: Storage;
}

export type Storage = 'GlusterFS' | 'CephFS';

const volumes = { GlusterFS: GlusterVolume, CephFS: CephVolume } as const;
const balancerAddress = '192.0.2.10';

export async function startCluster(
  t: Teardown,
  { folder, accounts, storage }: ClusterOptions,
): Promise<Cluster> {
  makeSwitch();
  const clock = new ShiftedClock(folder);
  const hosts = [1, 2, 3].map((number) => addHost(`n${number}`, `192.0.2.${number}`));
  const balancer = addHost('lb', balancerAddress);
  const databaseHosts = [addHost('db1', '192.0.2.21'), addHost('db2', '192.0.2.22')] as const;
  const [volume, databases] = await Promise.all([
    volumes[storage].start(t, { folder, hosts, clock }),
    DatabaseHosts.start(t, databaseHosts, accounts),
  ]);
  const nodes = hosts.map((host): ClusterNode => {
    const mountPoint = join(folder, host.name, 'srv');
    const mailRoot = join(mountPoint, 'mail');
    const accountsUri = databases.uri('pop3');
    const options = { folder, mailRoot, accounts: accountsUri, balancer: balancerAddress, clock };
    return { host, mountPoint, mailRoot, front: new FrontNode(t, host, options) };
  });
  for (const { host, mountPoint } of nodes) {
    mkdirSync(mountPoint);
    await volume.mount(host, mountPoint);
  }
  const [first, second, third] = nodes;
  if (first === undefined || second === undefined || third === undefined) throw new Error('none');
  await makeMaildirs(first.mailRoot, [...accounts.keys()]);
  for (const { front } of nodes) await front.start();
  await startBalancer(t, balancer, hosts, folder);
  return {
    nodes: [first, second, third],
    volume,
    balancer: balancerAddress,
    databases,
  };
}

async function makeMaildirs(mailRoot: string, users: readonly string[]): Promise<void> {
  await mkdir(join(mailRoot, 'example.org'), { recursive: true });
  for (const user of users) {
    const above = join(mailRoot, 'example.org', user);
    const folders = ['', 'INBOX', 'INBOX/new', 'INBOX/cur', 'INBOX/tmp'];
    for (const path of folders.map((name) => join(above, name))) {
      await mkdir(path);
      await chown(path, mailOwner.uid, mailOwner.gid);
    }
  }
}
