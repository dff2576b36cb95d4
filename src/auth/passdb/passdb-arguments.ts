// The command line of passdb: its options, and what commands read out of them.

import { parseSourceName } from '../accounts/source-name.js';
import { lowerCaseAscii, tryLoginName, type LoginName } from '../accounts/login-name.js';
import { writableSchemes, type WritableScheme } from '../stored/make-password.js';
import { parseNetworks } from '../verifying/permitted-networks.js';
import { UsageError } from '../../system/failures/failures.js';
import type { OptionTable, OptionValues } from '../../system/program/options.js';
import { accountFormats, type AccountFormat } from './account-formats.js';
import type { AppPasswordOptions } from './app-password-commands.js';
import type { ImportOptions } from './file-commands.js';
import type { AskedSources, PassdbContext } from './passdb-commands.js';

export const passdbOptions = {
  passdb: {
    kind: 'list',
    value: 'SOURCE',
    env: 'PASSDB',
    help: 'a SQLite FILE (passdb.sqlite), postgresql:// or mysql://; check takes all sources of pop3d',
  },
  'allow-weak-schemes': {
    kind: 'flag',
    env: 'ALLOW_WEAK_SCHEMES',
    help: 'verify weak stored passwords too: MD5-CRYPT, DES-CRYPT, SSHA, SHA and others',
  },
  'passdb-query': {
    kind: 'text',
    value: 'SQL',
    env: 'PASSDB_QUERY',
    help: 'check asks a database of another shape so; see passdb-database(5)',
  },
  scheme: {
    kind: 'text',
    value: 'SCHEME',
    help: 'how add, set and import store a password (ARGON2ID); see passdb schemes',
  },
  label: { kind: 'text', value: 'LABEL', help: "an application password's name (app)" },
  expires: {
    kind: 'number',
    value: 'DAYS',
    min: 1,
    max: 36_500,
    help: 'an application password is good for so many days',
  },
  networks: {
    kind: 'text',
    value: 'NETWORKS',
    help: 'an application password is for these addresses and prefixes only',
  },
  'read-only': { kind: 'flag', help: 'with an application password nothing can be deleted' },
  days: {
    kind: 'number',
    value: 'N',
    min: 1,
    max: 999_999,
    help: 'an application password shows only messages younger than so many days',
  },
  format: {
    kind: 'text',
    value: 'FORMAT',
    choices: accountFormats,
    help: 'of import (found out) and export (passwd): passwd, shadow or csv',
  },
  'default-domain': {
    kind: 'text',
    value: 'DOMAIN',
    help: 'of names without @ in import; the domain to export',
  },
  replace: { kind: 'flag', help: 'import gives users who are there already a new password' },
} as const satisfies OptionTable;

export type GivenOptions = OptionValues<typeof passdbOptions>;

/** All functions below throw UsageError for what is missing or wrong. */
export interface Given {
  readonly command: string;
  readonly context: PassdbContext;
  /** What stands behind the command; null when there is nothing. */
  readonly argument: string | null;
  readonly options: GivenOptions;
}

export function nameIn({ command, argument }: Given): LoginName {
  if (argument === null) throw new UsageError(`${command} needs a user@domain`);
  const name = tryLoginName(Buffer.from(argument), undefined);
  if (name === null) throw new UsageError(`"${argument}" is not a user@domain`);
  return name;
}

export function onlyIn(given: Given): LoginName | null {
  return given.argument === null ? null : nameIn(given);
}

export function withoutArgument({ context, argument }: Given): PassdbContext {
  if (argument !== null) throw new UsageError(`unexpected argument "${argument}"`);
  return context;
}

/** Blanks at the ends would not be seen, and no client would send them. */
export function newNameIn(given: Given): LoginName {
  const name = nameIn(given);
  if ([name.user, name.domain].some((part) => part.trim() !== part)) {
    throw new UsageError(`"${given.argument ?? ''}" has blanks at an end of a name`);
  }
  return name;
}

export function schemeIn({ options: { scheme } }: Given): WritableScheme {
  const wanted = scheme ?? writableSchemes[0];
  const known = writableSchemes.find((name) => name === wanted.toUpperCase());
  if (known === undefined) {
    throw new UsageError(`option --scheme must be one of ${writableSchemes.join(', ')}`);
  }
  return known;
}

export function formatIn({ options: { format } }: Given): AccountFormat | undefined {
  return accountFormats.find((known) => known === format);
}

export function domainIn({ options: { 'default-domain': domain } }: Given): string | undefined {
  return domain === undefined ? undefined : lowerCaseAscii(domain).replace(/\.$/, '');
}

export function importIn(given: Given): ImportOptions {
  if (given.argument === null) throw new UsageError('import needs a file, or - for stdin');
  return {
    file: given.argument,
    format: formatIn(given),
    defaultDomain: domainIn(given),
    scheme: given.options.scheme === undefined ? null : schemeIn(given),
    existing: given.options.replace === true ? 'replace' : 'refuse',
  };
}

function labelIn({ options: { label } }: Given): string | null {
  if (label === undefined) return null;
  if (/^\s|\s$|[\p{Cc}\p{Cf}]/u.test(label) || label === '' || label.length > 64) {
    throw new UsageError('option --label must be 1 to 64 characters without blanks at its ends');
  }
  return label;
}

export function neededLabelIn(given: Given): string {
  const label = labelIn(given);
  if (label === null) throw new UsageError(`${given.command} needs --label`);
  return label;
}

export function appPasswordIn(given: Given): AppPasswordOptions {
  const { networks, days, expires, 'read-only': readOnly } = given.options;
  return {
    label: labelIn(given),
    networks: networks === undefined ? null : networksFrom(networks),
    isReadOnly: readOnly ?? false,
    days: days ?? null,
    expiresInDays: expires ?? null,
  };
}

function networksFrom(text: string): string {
  try {
    parseNetworks(text);
  } catch (error) {
    throw new UsageError(`option --networks: ${(error as Error).message}`);
  }
  const words = text.split(/[\s,]+/).filter((word) => word !== '');
  if (words.length === 0) throw new UsageError('option --networks names no network');
  return words.join(' ');
}

const defaultSource = 'passdb.sqlite';

/** What a command works on. */
export function sourceFor(command: string, { passdb = [] }: GivenOptions): string {
  const [source = defaultSource, ...others] = passdb;
  if (others.length > 0 && command !== 'check') {
    throw new UsageError('option --passdb is given twice; only check asks several sources');
  }
  const { kind } = parseSourceName(source);
  const isEdited = kind !== 'dovecot' && kind !== 'checkpassword';
  if (!isEdited && command !== 'check' && command !== 'schemes') {
    throw new UsageError(`${command} needs a database: only check asks ${kind}: sources`);
  }
  return source;
}

/** What check asks. */
export function askedIn({ options }: Given): AskedSources {
  return { sources: options.passdb ?? [defaultSource], query: options['passdb-query'] };
}
