// Becoming the owner of a maildrop before its mail is touched. doc/pop3d.8, Privileges. Somebody
// who may change a directory can put another one, or a link, in the place of what was looked at a
// moment ago. So the process never has more rights than whoever can do that on the way to the mail.

import { lstatSync, readFileSync, statSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';
import { MaildropRefused } from '../messages/maildrop-refused.js';
import { directoriesAbove, isBelow, type Place } from './place.js';

/** Who a process for one session becomes. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Nobody's group: given to a process whose maildrop is of group 0. */
const nogroup = 65_534;

/** The user that this process became; null while it is what it was started as. */
let becameUid: number | null = null;

let startedAsRoot: boolean | undefined;

/**
 * Gives up root for the rights of the maildrop's owner, for good; a process that was not started as
 * root stays what it is. The owner is that of the Maildir, or of the nearest directory above it
 * that exists. Where that is root, but not so further up, it is the first other owner up to the
 * mail root, or to `/`.
 *
 * @param sessions `many`: the process serves others too, and so must stay what it is
 * @returns whether it goes on as root, because all of the way is root's
 * @throws MaildropRefused for a maildrop that this process must not serve; the system's error;
 *   Error when the Maildir is no directory
 */
export function takeOwnersRights(place: Place, sessions: 'one' | 'many'): { isRoot: boolean } {
  return wasStartedAsRoot() ? takeRightsOf(ownerOf(place), sessions) : { isRoot: false };
}

export function wasStartedAsRoot(): boolean {
  return (startedAsRoot ??= idsOfProcess().users.includes(0));
}

/** The part of `takeOwnersRights` that looks at no file. Only for what was started as root. */
export function takeRightsOf(owner: Owner, sessions: 'one' | 'many'): { isRoot: boolean } {
  if (becameUid !== null && owner.uid !== becameUid) {
    throw new MaildropRefused('this process has the rights of another user');
  }
  if (sessions === 'many' && owner.uid !== 0) {
    throw new MaildropRefused(
      'a process for many sessions does not become each owner: give tcpsrun --user, or serve each connection by a process of its own',
    );
  }
  if (owner.uid === 0) return { isRoot: true };
  if (becameUid === null) becomeOwner(owner);
  return { isRoot: false };
}

/** @throws the system's error; Error when something of root is left */
function becomeOwner({ uid, gid: itsGid }: Owner): void {
  const gid = itsGid === 0 ? nogroup : itsGid;
  // What is root only by its real or saved user id may not change groups. As root, setgid and
  // setuid set all ids.
  process.seteuid?.(0);
  process.setgroups?.([gid]);
  process.setgid?.(gid);
  process.setuid?.(uid);
  becameUid = uid;
  const { users, groups } = idsOfProcess();
  if ([...users, ...groups].includes(0))
    throw new Error('the rights of root could not be given up');
}

/**
 * Real, effective, saved and file-system ids, supplementary groups too; without /proc those that
 * Node can tell.
 */
function idsOfProcess(): { users: readonly number[]; groups: readonly number[] } {
  let status;
  try {
    status = readFileSync('/proc/self/status', 'latin1');
  } catch {
    return {
      users: [process.getuid?.() ?? -1, process.geteuid?.() ?? -1],
      groups: [
        process.getgid?.() ?? -1,
        process.getegid?.() ?? -1,
        ...(process.getgroups?.() ?? []),
      ],
    };
  }
  const numbersAfter = (label: string): readonly number[] =>
    (new RegExp(`^${label}:(.*)$`, 'm').exec(status)?.[1]?.match(/[0-9]+/g) ?? []).map(Number);
  return {
    users: numbersAfter('Uid'),
    groups: [...numbersAfter('Gid'), ...numbersAfter('Groups')],
  };
}

/** The part that looks at files. @throws as `takeOwnersRights` */
export function ownerOf(place: Place): Owner {
  const { path } = place;
  const stats = tryStat(path, lstatSync);
  if (stats?.isSymbolicLink() === true) throw new MaildropRefused(`${path} is a symbolic link`);
  if (stats?.isDirectory() === false) throw new Error(`${path} is not a directory`);
  const owner = decidingOwner(place, stats);
  requireOwnersLinks(place, owner);
  return owner;
}

/** @param stats of the Maildir; null when there is none */
function decidingOwner({ path, own }: Place, stats: Stats | null): Owner {
  // Above the user's own directory links are the administrator's, and what they lead to counts.
  const names = directoriesAbove(path);
  const above = names.map((name) => tryStat(name, statSync));
  const found = above.filter((step) => step !== null);
  if (stats !== null && stats.uid !== 0) {
    for (const [index, name] of names.entries()) {
      const isUsers = index === 0 || name === own || (own !== null && isBelow(name, own));
      const uid = above[index]?.uid ?? 0;
      if (isUsers && uid !== 0 && uid !== stats.uid) {
        throw new MaildropRefused(`${path} and the directory above it have different owners`);
      }
    }
    return stats;
  }
  const way = stats === null ? found : [stats, ...found];
  const other = way.find(({ uid }) => uid !== 0);
  if (other !== undefined) return other;
  if (way.some((step, index) => isOpenToOthers(step, index > 0))) {
    throw new MaildropRefused(`${path} is root's, but others may write to a directory on the way`);
  }
  return { uid: 0, gid: 0 };
}

/**
 * Below the user's own directory the user can put links. One that leads to somebody else's mail
 * would make this process that somebody: so it must lead to what belongs to whoever could make it.
 *
 * @throws MaildropRefused
 */
function requireOwnersLinks({ path, own }: Place, owner: Owner): void {
  for (const name of directoriesAbove(path)) {
    if (own !== null && !isBelow(name, own)) return;
    const link = tryStat(name, lstatSync);
    if (link?.isSymbolicLink() !== true) continue;
    const makers = [link.uid, tryStat(dirname(name), statSync)?.uid ?? 0];
    if (makers.some((uid) => uid !== 0 && uid !== owner.uid)) {
      throw new MaildropRefused(`${name} is a symbolic link of another user than the mail's`);
    }
  }
}

/**
 * Whether somebody else than root may put something in the place of what is in the directory.
 *
 * @param hasNext whether root's next step is in it
 */
function isOpenToOthers({ mode, gid }: Stats, hasNext: boolean): boolean {
  const isWritable = (mode & 0o002) !== 0 || ((mode & 0o020) !== 0 && gid !== 0);
  // As in /tmp: what is there stays to those who own it.
  const isSticky = (mode & 0o1000) !== 0;
  return isWritable && !(isSticky && hasNext);
}

/** @returns null when there is nothing */
function tryStat(path: string, look: (path: Buffer) => Stats): Stats | null {
  try {
    return look(Buffer.from(path, 'latin1'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
