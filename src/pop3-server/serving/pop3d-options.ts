// The options of pop3d, and what they come to for a session.

import { uniqueIdSources } from '../../maildrop/unique-ids/unique-id-source.js';
import { logOptionTable } from '../../system/program/log-options.js';
import { type OptionValues } from '../../system/program/options.js';
import type { CertificateFiles } from '../../system/tls/server-certificate.js';
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
    kind: 'list',
    value: 'SOURCE',
    env: 'PASSDB',
    help: 'accounts: a SQLite FILE (passdb.sqlite), postgresql://, mysql://, dovecot:DIRECTORY, checkpassword:PROGRAM; several are asked in order',
  },
  'passdb-query': {
    kind: 'text',
    value: 'SQL',
    env: 'PASSDB_QUERY',
    help: 'for a database of another shape; see passdb-database(5)',
  },
  'default-domain': {
    kind: 'text',
    value: 'DOMAIN',
    env: 'DEFAULT_DOMAIN',
    help: 'for logins without @',
  },
  maildrop: {
    kind: 'text',
    value: 'TEMPLATE',
    env: 'MAILDROP',
    help: "where a user's Maildir is ({domain}/{user}/INBOX); also {address}, {home}",
  },
  'allow-weak-schemes': {
    kind: 'flag',
    env: 'ALLOW_WEAK_SCHEMES',
    help: 'verify weak stored passwords too: MD5-CRYPT, DES-CRYPT, SSHA, SHA and others',
  },
  'tls-cert': {
    kind: 'list',
    value: 'FILE',
    env: 'TLS_CERT',
    help: 'certificate chain in PEM: offer STLS; several are chosen from by name (SNI)',
  },
  'tls-key': {
    kind: 'list',
    value: 'FILE',
    env: 'TLS_KEY',
    help: 'private key in PEM, one for each certificate (where the certificate is)',
  },
  tls: { kind: 'flag', help: 'TLS from the first octet (pop3s)' },
  'allow-cleartext': {
    kind: 'flag',
    help: 'logins without TLS, though a certificate is configured, from anywhere',
  },
  'channel-binding': {
    kind: 'flag',
    env: 'CHANNEL_BINDING',
    help: 'announce SCRAM-SHA-256-PLUS, which some mail programs choose and cannot do',
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
  'failed-logins': {
    kind: 'text',
    value: 'SOURCE',
    env: 'FAILED_LOGIN_TABLE',
    help: 'postgresql:// through which kept workers of several machines tell each other of failed logins',
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
  'dovecot-control': {
    kind: 'text',
    value: 'TEMPLATE',
    env: 'DOVECOT_CONTROL',
    help: "Dovecot's CONTROL directory, where it is not the Maildir",
  },
  'shared-mail': {
    kind: 'flag',
    env: 'SHARED_MAIL',
    help: 'the mail is on a file system of other machines (found out by itself)',
  },
  'mark-seen': { kind: 'flag', help: 'flag retrieved messages as seen at QUIT' },
  'last-login': {
    kind: 'text',
    value: 'FILE',
    env: 'LAST_LOGIN',
    help: 'remember in this SQLite file when each user logged in last',
  },
  'log-messages': {
    kind: 'flag',
    help: 'log each message that was retrieved or deleted, at the end of its session',
  },
  ...logOptionTable,
} as const;

export type Pop3dOptionValues = OptionValues<typeof pop3dOptions>;

export interface TlsFiles {
  /** At least one. The first is for clients that name no server, and for unknown names. */
  readonly certificates: readonly [CertificateFiles, ...CertificateFiles[]];
  /** TLS from the first octet. */
  readonly isImplicit: boolean;
}

/**
 * @returns null when no certificate is configured.
 * @throws UsageError for options that make no sense without one
 */
export function tlsFilesFrom(given: Pop3dOptionValues): TlsFiles | null {
  const [first, ...others] = given['tls-cert'] ?? [];
  const keys = given['tls-key'] ?? [];
  if (first === undefined) {
    if (given.tls === true) throw new UsageError('option --tls needs --tls-cert');
    if (keys.length > 0) throw new UsageError('option --tls-key needs --tls-cert');
    return null;
  }
  const count = others.length + 1;
  if (keys.length > 0 && keys.length !== count) {
    throw new UsageError(
      `option --tls-key is given ${keys.length} times and --tls-cert ${count} times: each certificate needs its key, or none`,
    );
  }
  const pair = (certificateFile: string, index: number): CertificateFiles => ({
    certificateFile,
    keyFile: keys[index] ?? certificateFile,
  });
  return {
    certificates: [pair(first, 0), ...others.map((file, index) => pair(file, index + 1))],
    isImplicit: given.tls ?? false,
  };
}
