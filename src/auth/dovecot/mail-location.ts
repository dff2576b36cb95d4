// Where Dovecot's userdb says that a user's mail is: the fields `home` and `mail`, the latter as
// Dovecot's setting mail_location.

import { SourceUnavailable } from '../accounts/account-source.js';
import type { Grant } from '../accounts/grant.js';
import type { AuthLine } from './auth-fields.js';

/** @throws SourceUnavailable, lasting, for mail in another format than Maildir */
export function placeOf(fields: AuthLine['fields']): Pick<Grant, 'maildrop' | 'home'> {
  const home = textIn(fields, 'home');
  const mail = textIn(fields, 'mail');
  if (mail === null) return { home, maildrop: null };
  const [, format, location = ''] = /^(?:([a-z]+):)?(.*)$/s.exec(mail) ?? [];
  if (format !== undefined && format !== 'maildir') {
    throw new SourceUnavailable(
      `Dovecot keeps this user's mail as ${format}, not as a Maildir`,
      true,
    );
  }
  const [path = ''] = location.split(':');
  if (path === '') return { home, maildrop: null };
  if (!/^~(?=\/|$)/.test(path)) return { home, maildrop: path };
  if (home === null) {
    throw new SourceUnavailable('Dovecot gives a mail location below ~ but no home', true);
  }
  return { home, maildrop: home + path.slice(1) };
}

function textIn(fields: AuthLine['fields'], name: string): string | null {
  const value = fields.get(name);
  return typeof value === 'string' && value !== '' ? value : null;
}
