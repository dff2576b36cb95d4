// `maildirsize`, in which programs that deliver into a Maildir keep what its messages take up:
// Maildir++ quota, as Courier and Dovecot's quota driver "maildir" have it. Its first line is the
// quota; each further line is a change.

import { closeSync, constants, writeSync } from 'node:fs';
import { tryOpenRegularFile } from '../../system/files/open-regular-file.js';

const { O_WRONLY, O_APPEND } = constants;

/**
 * Notes that messages were removed, in one line, where that file exists. To make it, and to count
 * anew, is for those who know the quota.
 *
 * @param inbox latin1 bytes
 * @throws NotRegularFile; Error for a file that has other names too; the system's error
 */
export function noteRemovalInQuota(inbox: string, bytes: number, messages: number): void {
  const path = Buffer.from(`${inbox}/maildirsize`, 'latin1');
  const opened = tryOpenRegularFile(path, { flags: O_WRONLY | O_APPEND });
  if (opened === null) return;
  try {
    if (opened.stats.nlink > 1n) throw new Error('maildirsize has another name elsewhere');
    // In one write, because others append at the same time.
    writeSync(opened.fd, `${-bytes} ${-messages}\n`);
  } finally {
    closeSync(opened.fd);
  }
}

/**
 * What a message counts for: the size that its name says, which other programs go by, or its
 * file's.
 */
export function quotaBytesOf(baseName: string, fileBytes: number): number {
  const digits = /,S=([0-9]{1,15})(?=,|$)/.exec(baseName)?.[1];
  return digits === undefined ? fileBytes : Number(digits);
}
