// An authenticator over a SQLite file of passwords, as a function for tests: name and password in, verdict out.

import type { Test } from 'tap';
import { unlimited } from '../../../src/auth/accounts/grant.js';
import type { Verdict } from '../../../src/auth/accounts/authenticator.js';
import { openAccounts, type AccountsOptions } from '../../../src/auth/open-accounts.js';

export type Verifier = (name: string, password: string) => Promise<Verdict>;

/** Opens a database, which the test's teardown closes. */
export function openVerifier(t: Test, options: AccountsOptions): Verifier {
  const database = openAccounts(options);
  t.teardown(() => database.close());
  return (name, password) => database.verifyPassword(Buffer.from(name), Buffer.from(password));
}

/** The verdict on a right password of `anna@example.org`. */
export const anna = {
  verdict: 'accepted',
  identity: { user: 'anna', domain: 'example.org' },
  grant: unlimited,
};
