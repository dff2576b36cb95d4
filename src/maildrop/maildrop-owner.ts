// Becoming the owner of a maildrop before its mail is touched. design.md (Privileges).

import { statSync } from 'node:fs';
import { MaildropRefused } from './maildir-view.js';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** The owner of the maildrop, or of the nearest directory above it that exists. @param inbox latin1 bytes, relative to the mail root */
export function ownerOf(inbox: string): Owner {
  const names = inbox.split('/');
  for (let count = names.length; count > 0; count -= 1) {
    const owner = tryOwnerOf(names.slice(0, count).join('/'));
    if (owner !== null) return owner;
  }
  const { uid, gid } = statSync('.');
  return { uid, gid };
}

/**
 * Gives up root for the owner's rights, for good: setgroups, setgid, setuid.
 *
 * @throws the system's error
 */
export function becomeOwner({ uid, gid }: Owner): void {
  process.setgroups?.([gid]);
  process.setgid?.(gid);
  process.setuid?.(uid);
  isStillRoot = undefined;
}

/** Refuses what a process that serves many users cannot do: read others' mail as root. */
export function refuseForeignOwner({ uid }: Owner): void {
  if (uid !== 0) {
    throw new MaildropRefused(
      'a process for many sessions does not become each owner: give tcpsrun --user, or serve each connection by a process of its own',
    );
  }
}

/** Only `becomeOwner` changes it. */
let isStillRoot: boolean | undefined;

export function isRoot(): boolean {
  return (isStillRoot ??= process.getuid?.() === 0);
}

function tryOwnerOf(path: string): Owner | null {
  try {
    const { uid, gid } = statSync(Buffer.from(path, 'latin1'));
    return { uid, gid };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
