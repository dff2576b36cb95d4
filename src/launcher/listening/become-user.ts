// tcpsrun's --user and --group: who the launcher, and so the programs it starts, run as.

import { execFileSync } from 'node:child_process';
import { ConfigurationError } from '../../system/failures/failures.js';

export interface UserOptions {
  /** A name or a number. */
  readonly user: string | undefined;
  /** A name or a number; by default the user's own group. */
  readonly group: string | undefined;
}

/**
 * Becomes the user for good, with the supplementary groups that the user has, or only `group` when
 * there is no user.
 *
 * Groups go first: without root's rights they cannot be changed any more.
 *
 * @throws ConfigurationError when user or group is unknown or the system refuses; the process must
 *   then not go on. Also for root, which needs no option
 */
export function becomeUser({ user, group }: UserOptions): void {
  if (user === undefined && group === undefined) return;
  const option = user === undefined ? `--group ${group ?? ''}` : `--user ${user}`;
  try {
    if (user === undefined) {
      setGroups(idOf(group ?? ''), []);
      return;
    }
    const account = readAccount(user, group);
    if (account.uid === 0) throw new ConfigurationError('root needs no option');
    if (process.getuid?.() === account.uid && process.getgid?.() === account.gid) return;
    setGroups(account.gid, account.groups);
    process.setuid?.(account.uid);
    if (process.getuid?.() !== account.uid || process.geteuid?.() !== account.uid) {
      throw new ConfigurationError('the process still has another user than asked for');
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new ConfigurationError(
      `${option}: ${code === 'EPERM' ? 'only root can change to another user' : message}`,
    );
  }
}

interface Account {
  readonly uid: number;
  readonly gid: number | string;
  readonly groups: readonly number[];
}

/** A bare number with `--group` need not be in any directory of users. */
function readAccount(user: string, group: string | undefined): Account {
  if (/^[0-9]+$/.test(user) && group !== undefined) {
    return { uid: Number(user), gid: idOf(group), groups: [] };
  }
  return {
    uid: Number(askId('-u', user)),
    gid: group === undefined ? Number(askId('-g', user)) : idOf(group),
    groups: askId('-G', user).split(' ').map(Number),
  };
}

function setGroups(gid: number | string, others: readonly number[]): void {
  process.setgroups?.([gid, ...others.filter((other) => other !== gid)]);
  process.setgid?.(gid);
}

/** A number as such; a name as it is, for Node to look up. */
function idOf(text: string): number | string {
  return /^[0-9]+$/.test(text) ? Number(text) : text;
}

/** id(1), which asks every directory of users that nsswitch.conf(5) names. */
function askId(option: string, user: string): string {
  try {
    return execFileSync('id', [option, '--', user], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch (error) {
    // It ran, and did not know the user.
    if (typeof (error as { status?: unknown }).status === 'number') {
      throw new ConfigurationError('no such user');
    }
    throw error;
  }
}
