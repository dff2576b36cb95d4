// Mail locations of Dovecot 2.3 (its setting mail_location, and the field `mail` of its userdb), as
// far as they say where INBOX and its unique-ids are: `maildir:~/Maildir:INBOX=~/Inbox:INDEX=/x`.

import { MaildropRefused } from '../messages/maildrop-refused.js';

export interface DovecotLocation {
  /** The Maildir of INBOX; a tilde at the beginning is the user's home. */
  readonly inbox: string;
  /** The directory with INBOX's `dovecot-uidlist`, likewise; null where that is the Maildir. */
  readonly uniqueIdList: string | null;
}

/** Where INBOX's list is below the CONTROL directory, by LAYOUT. */
const listBelowControl = { 'maildir++': '.INBOX', fs: 'INBOX' } as const;

/** What does not change where INBOX and its unique-ids are. */
const withoutEffect = [
  ...['INDEX', 'INDEXPVT', 'INDEXCACHE', 'LISTINDEX', 'ITERINDEX', 'VOLATILEDIR'],
  ...['SUBSCRIPTIONS', 'UTF-8', 'BROKENCHAR', 'KEEP-NOSELECT', 'NO-NOSELECT', 'NO-FS-VALIDATION'],
];

/**
 * @returns null for a text without a format in front, such as `mbox:`
 * @throws MaildropRefused that says which part of the location cannot be served
 */
export function tryParseDovecotLocation(text: string): DovecotLocation | null {
  const [, format, location] = /^([a-z]+):(.*)$/is.exec(text) ?? [];
  if (format === undefined || location === undefined) return null;
  const refuse = (why: string): never => {
    throw new MaildropRefused(`the account source's mail location "${text}" ${why}`);
  };
  if (format.toLowerCase() !== 'maildir') return refuse('is no Maildir');
  if (/^(?::|INBOX=|$)/.test(location)) return refuse('names no directory');
  const [root = '', ...parts] = splitLocation(location);
  let inbox = root;
  let control: string | null = null;
  let layout: keyof typeof listBelowControl = 'maildir++';
  for (const part of parts) {
    const [key = '', value = ''] = part.split(/=(.*)/s);
    if (key === 'INBOX') inbox = value;
    else if (key === 'CONTROL') control = value;
    else if (key === 'LAYOUT' && (value === 'maildir++' || value === 'fs')) layout = value;
    else if (!withoutEffect.includes(key)) return refuse(`has "${part}", which cannot be served`);
  }
  if (inbox === '' || control === '') return refuse('lacks a path');
  const uniqueIdList = control === null ? null : `${control}/${listBelowControl[layout]}`;
  return { inbox, uniqueIdList };
}

/** Colons separate, but two in a row are a colon of the part. */
function splitLocation(location: string): readonly string[] {
  const parts = location.match(/(?:[^:]|::)+/g) ?? [];
  return parts.map((part) => part.replaceAll('::', ':'));
}
