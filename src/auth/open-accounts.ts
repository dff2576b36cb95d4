// The authenticator over a SQLite file: an account source, and the verifier over it.

import type { ChainLink } from './accounts/chain-link.js';
import { AccountTable, type AccountTableOptions } from './sqlite/account-table.js';
import { AccountVerifier, type VerifierOptions } from './verifying/account-verifier.js';

export type AccountsOptions = AccountTableOptions & VerifierOptions;

/**
 * Makes an authenticator over a SQLite file. Opens nothing yet: the file is opened at the first
 * call of a method, and faults of file, schema and query are verdicts.
 */
export function openAccounts(options: AccountsOptions): ChainLink {
  return new AccountVerifier(new AccountTable(options), options);
}
