// A delivery into a Maildir as other programs do it, with no code of ours. maildir(5).

import { constants } from 'node:fs';
import { link, open, rename, unlink } from 'node:fs/promises';
import { baseNameOf, contentOf } from '../../torture/numbered-message.js';
import { mailOwner } from '../mail/shared-mailstore.js';

/** `unsure`: it failed when it may have been done; `failed`: nobody has seen it, or will. */
export type Arrival = 'arrived' | 'unsure' | 'failed';

const createFlags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;

/** @param serial of the message; odd ones are put in place by link(2), others by rename(2) */
export async function deliverTo(maildir: string, serial: number): Promise<Arrival> {
  const name = baseNameOf(serial);
  const [tmp, placed] = [`${maildir}/tmp/${name}`, `${maildir}/new/${name}`];
  try {
    const file = await open(tmp, createFlags, 0o600);
    try {
      await file.writeFile(contentOf(serial));
      await file.chown(mailOwner.uid, mailOwner.gid);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch {
    return 'failed';
  }
  try {
    await (serial % 2 === 1 ? link(tmp, placed) : rename(tmp, placed));
  } catch {
    return 'unsure';
  }
  // It has arrived, whatever becomes of the other name.
  if (serial % 2 === 1) await unlink(tmp).catch(() => undefined);
  return 'arrived';
}
