// What the account source itself says of a user's mail: paths, or Dovecot's mail locations.

import { MaildropRefused } from '../messages/maildrop-refused.js';
import { tryParseDovecotLocation } from './dovecot-location.js';
import type { Place } from './place.js';

/**
 * A path that the account source gives.
 *
 * @param what names it in errors
 * @returns latin1 bytes
 * @throws MaildropRefused for what is no path, or leads up
 */
export function pathGiven(text: string, what: string): string {
  const bytes = Buffer.from(text);
  const parts = bytes.toString('latin1').split('/');
  const isPath = !/\p{Cc}/u.test(text) && !parts.includes('..');
  const path = parts.filter((part) => part !== '' && part !== '.').join('/');
  if (!isPath || path === '') {
    throw new MaildropRefused(`the account source's ${what} is no path: "${text}"`);
  }
  return text.startsWith('/') ? `/${path}` : path;
}

/**
 * The Maildir that the account source names for a user: a path, or a mail location of Dovecot's; a
 * tilde at its beginning is the home.
 *
 * @throws MaildropRefused for what is neither
 */
export function placeGiven(maildrop: string, home: string | null): Place {
  return placeAt(tryParseDovecotLocation(maildrop)?.inbox ?? maildrop, home);
}

/**
 * The directory where Dovecot has the list of unique-ids, if the account source names one.
 *
 * @returns latin1 bytes; null where it is not named
 * @throws as `placeGiven`
 */
export function uniqueIdListGiven(maildrop: string, home: string | null): string | null {
  const list = tryParseDovecotLocation(maildrop)?.uniqueIdList ?? null;
  return list === null ? null : placeAt(list, home).path;
}

function placeAt(text: string, home: string | null): Place {
  const [start = '', ...rest] = text.split('/');
  if (!start.startsWith('~')) {
    const path = pathGiven(text, 'maildrop');
    return { path, own: null, root: path.startsWith('/') ? path : '.' };
  }
  if (start !== '~') {
    throw new MaildropRefused(`the account source's maildrop is in another user's home: "${text}"`);
  }
  if (home === null) throw new MaildropRefused(`the account source gives no home for "${text}"`);
  const own = pathGiven(home, 'home');
  const path = pathGiven([home, ...rest].join('/'), 'maildrop');
  return { path, own, root: path };
}
