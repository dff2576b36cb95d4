// A missing Maildir may be one in another place than this server was told: Dovecot's layouts have
// it in the user's directory itself, or in `Maildir` there.

import { statSync } from 'node:fs';
import type { Place } from './place.js';

/** @returns the path of a Maildir that the administrator may have meant; null when there is none */
export function tryOtherMaildir({ path, own }: Place): string | null {
  if (own === null || !isDirectory(own)) return null;
  const candidates = [own, `${own}/Maildir`, `${own}/INBOX`];
  return candidates.find((candidate) => candidate !== path && isMaildir(candidate)) ?? null;
}

function isMaildir(path: string): boolean {
  return ['new', 'cur'].every((folder) => isDirectory(`${path}/${folder}`));
}

/** What cannot be looked at is no directory that this process could serve. */
function isDirectory(path: string): boolean {
  try {
    return statSync(Buffer.from(path, 'latin1')).isDirectory();
  } catch {
    return false;
  }
}
