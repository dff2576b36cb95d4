// What of pop3d's options can be found wrong without mail, accounts or a connection, and so before
// a client is greeted: templates, account sources and the query.

import { lowerCaseAscii } from '../../auth/accounts/login-name.js';
import { requireSourceNames } from '../../auth/open-sources.js';
import { MaildropPlaces } from '../../maildrop/place/maildrop-places.js';
import { UsageError } from '../../system/failures/failures.js';
import type { Pop3dOptionValues } from './pop3d-options.js';

/** @throws UsageError, ConfigurationError that says what is wrong */
export async function requirePlaces(given: Pop3dOptionValues): Promise<void> {
  placesFrom(given);
  await requireSourceNames({ sources: sourcesFrom(given), query: given['passdb-query'] });
}

export function sourcesFrom(given: Pop3dOptionValues): readonly string[] {
  return given.passdb ?? ['passdb.sqlite'];
}

/** @throws UsageError */
export function placesFrom(given: Pop3dOptionValues): MaildropPlaces {
  const dovecotControl = given['dovecot-control'];
  if (dovecotControl !== undefined && given.uidl !== 'dovecot') {
    throw new UsageError('option --dovecot-control goes with --uidl dovecot');
  }
  const defaultDomain = given['default-domain'];
  return new MaildropPlaces({
    maildrop: given.maildrop,
    dovecotControl,
    defaultDomain: defaultDomain && lowerCaseAscii(defaultDomain).replace(/\.$/, ''),
  });
}
