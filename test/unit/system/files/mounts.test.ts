import t from 'tap';
import {
  coveringMount,
  isServedElsewhere,
  mayWaitForOthers,
  mountOf,
  parseMounts,
} from '../../../../src/system/files/mounts.js';

const mounts = parseMounts(
  [
    '22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw',
    '30 22 0:40 / /srv/mail rw - nfs4 files:/mail rw,vers=4.2',
    '31 30 0:41 / /srv/mail/example.org rw master:2 propagate_from:1 - fuse.glusterfs a:/b rw',
    '32 22 0:42 / /srv/my\\040mail\\134 rw - fuse /x rw',
    '33 22 8:2 / /mnt rw - fuseblk /dev/sdb1 rw',
    '34 22 0:43 / /home rw - ext4 /dev/sdc1 rw',
    '35 34 0:44 / /home rw - ceph mon:/ rw',
    '',
  ].join('\n'),
);

for (const [path, point, type, isElsewhere] of [
  ['/var/mail', '/', 'ext4', false],
  ['/', '/', 'ext4', false],
  ['/srv/mail', '/srv/mail', 'nfs4', true],
  ['/srv/mailbox', '/', 'ext4', false],
  ['/srv/mail/example.net/ann', '/srv/mail', 'nfs4', true],
  ['/srv/mail/example.org/ann', '/srv/mail/example.org', 'fuse.glusterfs', true],
  ['/srv/my mail\\/ann', '/srv/my mail\\', 'fuse', true],
  ['/mnt/ann', '/mnt', 'fuseblk', false],
  ['/home/ann', '/home', 'ceph', true],
] as const) {
  t.test(`${path} is on ${type}`, (t) => {
    const mount = coveringMount(path, mounts);
    t.strictSame(mount, { point, type });
    t.equal(mount !== null && isServedElsewhere(mount), isElsewhere);
    t.end();
  });
}

t.test('where nothing is known, nothing covers a path', (t) => {
  t.equal(coveringMount('/srv', parseMounts('')), null);
  t.equal(mayWaitForOthers('/proc/self'), false);
  t.end();
});

t.test('relative paths are below the current directory', (t) => {
  t.strictSame(mountOf('.'), mountOf(process.cwd()));
  t.not(mountOf('/proc/self')?.type, mountOf('.')?.type);
  t.end();
});
