// Which file system a path is on, by what the kernel says of its mounts. Unlike stat(2) and
// statfs(2) this never waits for a file server. Links on the way are not seen.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

export interface Mount {
  /** Where it is mounted; latin1 bytes. */
  readonly point: string;
  /** As mount(8) names it, such as `ext4`, `nfs4` or `fuse.glusterfs`. */
  readonly type: string;
}

/** What other machines or programs serve, or mount when somebody looks. */
const typesServedElsewhere: ReadonlySet<string> = new Set([
  ...['9p', 'afs', 'autofs', 'beegfs', 'ceph', 'cifs', 'coda', 'fuse', 'gfs2', 'gpfs', 'lustre'],
  ...['nfs', 'nfs4', 'ocfs2', 'orangefs', 'smb3', 'smbfs', 'virtiofs'],
]);

/** Whether calls on files of such a file system may wait for another machine or program. */
export function isServedElsewhere({ type }: Mount): boolean {
  return typesServedElsewhere.has(type) || type.startsWith('fuse.');
}

/** @param text of /proc/self/mountinfo, latin1; proc(5) */
export function parseMounts(text: string): readonly Mount[] {
  return text.split('\n').flatMap((line) => {
    const [before = '', after] = line.split(' - ');
    const [type] = after?.split(' ') ?? [];
    const point = before.split(' ')[4];
    return point === undefined || type === undefined ? [] : [{ point: unescape(point), type }];
  });
}

/** @returns the mount that covers an absolute path; null when none does */
export function coveringMount(path: string, mounts: readonly Mount[]): Mount | null {
  let found: Mount | null = null;
  for (const mount of mounts) {
    const { point } = mount;
    const covers = point === '/' || path === point || path.startsWith(`${point}/`);
    // Of two at one point the later one is on top.
    if (covers && point.length >= (found?.point.length ?? 0)) found = mount;
  }
  return found;
}

/** How long a list of mounts is used. */
const listAgeMs = 1000;

let mounts: readonly Mount[] = [];
let isAnyServedElsewhere = false;
let readMs = -Infinity;

/**
 * @param path latin1 bytes, absolute or relative to the current directory
 * @returns null where the kernel does not tell
 */
export function mountOf(path: string): Mount | null {
  refresh();
  return coveringMount(resolve(Buffer.from(process.cwd()).toString('latin1'), path), mounts);
}

/** As `isServedElsewhere`, of the mount of a path; at once where there is no such mount at all. */
export function mayWaitForOthers(path: string): boolean {
  refresh();
  if (!isAnyServedElsewhere) return false;
  const mount = mountOf(path);
  return mount !== null && isServedElsewhere(mount);
}

function refresh(): void {
  const nowMs = performance.now();
  if (nowMs - readMs <= listAgeMs) return;
  mounts = readMounts();
  isAnyServedElsewhere = mounts.some(isServedElsewhere);
  readMs = nowMs;
}

function readMounts(): readonly Mount[] {
  try {
    return parseMounts(readFileSync('/proc/self/mountinfo', 'latin1'));
  } catch {
    return [];
  }
}

/** Blanks and backslashes are written as three octal digits. */
function unescape(point: string): string {
  return point.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
