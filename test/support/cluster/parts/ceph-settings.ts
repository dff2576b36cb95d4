// The ceph.conf of the cluster test: what mail-cluster(7) says of CephFS, and what a small machine needs.

/**
 * Of mail-cluster(7): how many seconds each part waits for another one before it goes on without.
 * The node cut off has a monitor, an OSD, a metadata server and a client, and what is to replace the
 * one waits for the other: the monitors elect first. A client that is given up stays on the
 * blocklist: without it, what it wrote late came into a message that another node had delivered.
 */
const failover = `
mon lease = 1
mon election timeout = 1
mon tick interval = 1
mon client ping interval = 1
mon client ping timeout = 3
mon client hunt interval = 1
paxos propose interval = 0.2
osd heartbeat interval = 1
osd heartbeat grace = 4
mon osd adjust heartbeat grace = false
mds beacon interval = 0.5
mds beacon grace = 3
mds beacon mon down grace = 3
mds tick interval = 1
mds reconnect timeout = 2
mds cap revoke eviction timeout = 4
defer client eviction on laggy osds = false
`;

/** For a small machine with little on it, where nobody else listens. */
const small = `
auth cluster required = none
auth service required = none
auth client required = none
ms bind msgr1 = false
osd pool default size = 3
osd pool default min size = 2
osd pool default pg autoscale mode = off
osd objectstore = bluestore
bluestore block size = 2147483648
osd memory target = 939524096
mds cache memory limit = 268435456
mgr stats period = 1
`;

export interface CephPlaces {
  /** For all that is written. */
  readonly folder: string;
  /** A UUID. */
  readonly id: string;
  readonly hosts: readonly { readonly name: string; readonly address: string }[];
}

/** @returns the text of ceph.conf; OSDs have the numbers of their hosts, from 0 on */
export function cephSettings({ folder, id, hosts }: CephPlaces): string {
  const monitors = hosts.map(({ address }) => `v2:${address}:3300`);
  const places = hosts.map(
    ({ name }, index) => `[osd.${index}]\ncrush location = root=default host=${name}\n`,
  );
  return `[global]
fsid = ${id}
mon host = ${monitors.join()}
public network = 192.0.2.0/24
log file = ${folder}/$name.log
mon cluster log file = ${folder}/cluster.log
run dir = ${folder}
crash dir = ${folder}
admin socket = ${folder}/$name.$pid.asok
mon data = ${folder}/$name
osd data = ${folder}/$name
mds data = ${folder}/$name
mgr data = ${folder}/$name
${failover}${small}
${places.join('')}`;
}
