// From what the options say to an authenticator: for each account source a verifier or whoever
// knows its passwords, and a chain over them.

import { requireSqlite } from '../system/sqlite/open-sqlite.js';
import { UsageError } from '../system/failures/failures.js';
import type { AccountSource } from './accounts/account-source.js';
import type { Authenticator } from './accounts/authenticator.js';
import type { ChainLink } from './accounts/chain-link.js';
import { parseSourceName, type SourceName } from './accounts/source-name.js';
import type { AccountsOptions } from './open-accounts.js';

export interface SourcesOptions extends Omit<AccountsOptions, 'file'> {
  /** As `--passdb` names them, at least one. */
  readonly sources: readonly string[];
  /** Whether this process serves one session: then it holds no connection longer than it must. */
  readonly sessions?: 'one' | 'many' | undefined;
}

/** Questions at a time; each costs a process, or a place in Dovecot's auth service. */
const checkpasswordConcurrency = 16;
const dovecotConcurrency = 64;

/**
 * Makes an authenticator. Opens nothing yet: files and connections are opened at the first call of
 * a method, and their faults, and those of schema and query, are verdicts.
 *
 * @throws UsageError, ConfigurationError for a source that cannot be understood
 */
export async function openSources(options: SourcesOptions): Promise<Authenticator> {
  const names = options.sources.map(parseSourceName);
  const links = await Promise.all(names.map((name) => openLink(name, options)));
  const [only, ...others] = links;
  if (only !== undefined && others.length === 0) return only;
  const { ChainedAuthenticator } = await import('./verifying/chained-authenticator.js');
  return new ChainedAuthenticator(links);
}

type NamedSources = Pick<SourcesOptions, 'sources' | 'query'>;

/**
 * Looks at what can be seen without asking a source: names, URIs, the query, packages, and whether
 * there is an SQLite.
 *
 * @throws UsageError, ConfigurationError that says what is wrong or what to install
 */
export async function requireSources(named: NamedSources): Promise<void> {
  await requireSourceNames(named);
  if (named.sources.some((text) => parseSourceName(text).kind === 'sqlite')) requireSqlite();
}

/** As `requireSources`, but loads no SQLite, which takes long beside everything else. */
export async function requireSourceNames({ sources, query }: NamedSources): Promise<void> {
  const names = sources.map(parseSourceName);
  if (query !== undefined && !names.some(takesQuery)) {
    throw new UsageError('option --passdb-query goes with an SQL source, and there is none');
  }
  for (const { kind, place } of names) {
    if (kind !== 'postgresql' && kind !== 'mysql') continue;
    const { requireServerAccounts } = await import('./open-server-accounts.js');
    requireServerAccounts(place, query);
  }
}

function takesQuery({ kind }: SourceName): boolean {
  return kind === 'sqlite' || kind === 'postgresql' || kind === 'mysql';
}

/**
 * What a source needs is loaded when one is named.
 *
 * @returns null for whoever knows passwords, and says only whether one is right
 * @throws ConfigurationError for a URI that cannot be understood
 */
export async function openAccountSource(
  { kind, place }: SourceName,
  options: Omit<SourcesOptions, 'sources'>,
): Promise<AccountSource | null> {
  switch (kind) {
    case 'sqlite': {
      const { AccountTable } = await import('./sqlite/account-table.js');
      return new AccountTable({ ...options, file: place });
    }
    case 'postgresql':
    case 'mysql': {
      const { openServerAccounts } = await import('./open-server-accounts.js');
      return openServerAccounts(place, options);
    }
    case 'dovecot':
    case 'checkpassword':
      return null;
  }
}

async function openLink(name: SourceName, options: SourcesOptions): Promise<ChainLink> {
  const source = await openAccountSource(name, options);
  if (source !== null) {
    const { AccountVerifier } = await import('./verifying/account-verifier.js');
    return new AccountVerifier(source, options);
  }
  const { AuthorityAuthenticator } = await import('./authorities/authority-authenticator.js');
  const { kind, place } = name;
  const { defaultDomain } = options;
  if (kind === 'dovecot') {
    const { DovecotAuthority } = await import('./dovecot/dovecot-authority.js');
    const authority = new DovecotAuthority({ directory: place, defaultDomain });
    return new AuthorityAuthenticator(authority, defaultDomain, {
      concurrency: dovecotConcurrency,
    });
  }
  const { CheckpasswordAuthority } = await import('./checkpassword/checkpassword-authority.js');
  return new AuthorityAuthenticator(new CheckpasswordAuthority(place), defaultDomain, {
    concurrency: checkpasswordConcurrency,
  });
}
