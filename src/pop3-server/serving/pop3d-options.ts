// The options of pop3d, and what they come to for a session.

import { uniqueIdSources } from '../../maildrop/unique-ids/unique-id-source.js';
import { logOptionTable } from '../../system/program/log-options.js';
import { type OptionValues } from '../../system/program/options.js';
import { UsageError } from '../../system/failures/failures.js';

export const pop3dOptions = {
  accesslevel: {
    kind: 'number',
    value: 'N',
    min: 0,
    max: 2_147_483_647,
    env: 'ACCESSLEVEL',
    help: '0: close at once; any other: serve',
  },
  passdb: {
    kind: 'text',
    value: 'FILE',
    env: 'PASSDB',
    help: 'password database (passdb.sqlite)',
  },
  'passdb-query': {
    kind: 'text',
    value: 'SQL',
    env: 'PASSDB_QUERY',
    help: 'for another shape: :user, :domain, :address; the first column is the password',
  },
  'default-domain': {
    kind: 'text',
    value: 'DOMAIN',
    env: 'DEFAULT_DOMAIN',
    help: 'for logins without @',
  },
  'allow-weak-schemes': {
    kind: 'flag',
    env: 'ALLOW_WEAK_SCHEMES',
    help: 'verify weak stored passwords too: MD5-CRYPT, DES-CRYPT, SSHA, SHA and others',
  },
  'tls-cert': {
    kind: 'text',
    value: 'FILE',
    env: 'TLS_CERT',
    help: 'certificate chain in PEM: offer STLS',
  },
  'tls-key': {
    kind: 'text',
    value: 'FILE',
    env: 'TLS_KEY',
    help: 'private key in PEM (where the certificate is)',
  },
  tls: { kind: 'flag', help: 'TLS from the first octet (pop3s)' },
  'allow-cleartext': {
    kind: 'flag',
    help: 'logins without TLS, though a certificate is configured, from anywhere',
  },
  apop: { kind: 'flag', help: 'offer APOP, for accounts stored as {PLAIN}' },
  'idle-timeout': {
    kind: 'number',
    value: 'S',
    min: 1,
    max: 86_400,
    help: 'seconds between commands after login (600)',
  },
  'login-timeout': {
    kind: 'number',
    value: 'S',
    min: 1,
    max: 86_400,
    help: 'seconds from greeting to login (180)',
  },
  'handshake-timeout': {
    kind: 'number',
    value: 'S',
    min: 1,
    max: 86_400,
    help: 'seconds for a TLS handshake (30)',
  },
  'failure-delay': {
    kind: 'number',
    value: 'S',
    env: 'FAILURE_DELAY',
    min: 0,
    max: 60,
    help: 'seconds before a failed login is answered, growing to eight times as much (2)',
  },
  'report-fd': {
    kind: 'number',
    value: 'N',
    min: 3,
    max: 1_048_576,
    help: "descriptor on which to tell tcpsrun of logins (a run file's %5)",
  },
  uidl: {
    kind: 'text',
    value: 'SOURCE',
    choices: uniqueIdSources,
    help: 'unique-ids: filename (the default), dovecot or courier',
  },
  'mark-seen': { kind: 'flag', help: 'flag retrieved messages as seen at QUIT' },
  'log-messages': {
    kind: 'flag',
    help: 'log each message that was retrieved or deleted, at the end of its session',
  },
  ...logOptionTable,
} as const;

export type Pop3dOptionValues = OptionValues<typeof pop3dOptions>;

export interface TlsFiles {
  readonly certificateFile: string;
  readonly keyFile: string;
  /** TLS from the first octet. */
  readonly isImplicit: boolean;
}

/**
 * @returns null when no certificate is configured.
 * @throws UsageError for options that make no sense without one
 */
export function tlsFilesFrom(given: Pop3dOptionValues): TlsFiles | null {
  const certificateFile = given['tls-cert'];
  if (certificateFile === undefined) {
    if (given.tls === true) throw new UsageError('option --tls needs --tls-cert');
    if (given['tls-key'] !== undefined) throw new UsageError('option --tls-key needs --tls-cert');
    return null;
  }
  const keyFile = given['tls-key'] ?? certificateFile;
  return { certificateFile, keyFile, isImplicit: given.tls ?? false };
}
