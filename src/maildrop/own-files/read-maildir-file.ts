// Reads a file beside the messages of a Maildir, as it is in INBOX itself: neither INBOX nor the
// file may be a link.

import { tryReadRegularFile } from '../../system/files/open-regular-file.js';
import { MaildirFolders } from '../place/maildir-folders.js';

/**
 * @param inbox latin1 bytes
 * @returns latin1 text, a character a byte; null when there is no such file
 * @throws MaildropRefused; NotRegularFile; FileTooLarge; the system's error, also ENOENT when INBOX
 *   itself is missing
 */
export function tryReadMaildirFile(inbox: string, name: string, maxBytes: number): string | null {
  const folders = new MaildirFolders(inbox);
  try {
    const bytes = tryReadRegularFile(folders.pathOf('.', name), { maxBytes });
    return bytes?.toString('latin1') ?? null;
  } finally {
    folders.release();
  }
}
