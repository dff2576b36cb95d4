// What `--passdb` names: a SQLite file, a database server, Dovecot, or a program. pop3d(8), Account
// sources.

import { UsageError } from '../../system/failures/failures.js';

export type SourceKind = 'sqlite' | 'postgresql' | 'mysql' | 'dovecot' | 'checkpassword';

export interface SourceName {
  readonly kind: SourceKind;
  /** A file, directory or program; the whole URI for a database server. */
  readonly place: string;
}

const prefixes: readonly (readonly [prefix: RegExp, kind: SourceKind])[] = [
  [/^postgres(?:ql)?:/, 'postgresql'],
  [/^(?:mysql|mariadb):/, 'mysql'],
  [/^sqlite:/, 'sqlite'],
  [/^dovecot:/, 'dovecot'],
  [/^checkpassword:/, 'checkpassword'],
];

/**
 * Anything without a known word and a colon in front is a SQLite file.
 *
 * @throws UsageError, whose message never holds the text of a URI: there may be a password in it
 */
export function parseSourceName(text: string): SourceName {
  const [prefix, kind] = prefixes.find(([candidate]) => candidate.test(text)) ?? [/^/, 'sqlite'];
  if (kind === 'postgresql' || kind === 'mysql') return { kind, place: text };
  const place = text.replace(prefix, '');
  if (place === '') throw new UsageError(`account source "${text}" names no file`);
  return { kind, place };
}
