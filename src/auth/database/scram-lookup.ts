// The credentials that a SCRAM-SHA-256 exchange gets for a name: real ones, ones derived from a password in clear, or
// made-up ones that look and take as long as either (RFC 5802 §9 wants no oracle for names).

import { createHmac } from 'node:crypto';
import type { ScramCredentials, ScramLookup } from '../accounts/authenticator.js';
import type { LoginName } from '../accounts/login-name.js';
import { newPasswordCosts } from '../stored/password-hash.js';
import type { PasswordRow } from './password-table.js';
import { saslprep } from '../stored/saslprep.js';
import { deriveScramCredentials } from '../stored/scram-keys.js';
import { parseStoredPassword, type StoredPassword } from '../stored/stored-password.js';
import { typicalPassword } from '../stored/typical-password.js';

export interface ScramLookupInput {
  /** As the client sent it; only made-up salts depend on it. */
  readonly name: Buffer;
  /** Null when no maildrop can have the name. */
  readonly login: LoginName | null;
  readonly row: PasswordRow | null;
  /** At least 16 octets that peers do not know. */
  readonly secret: Buffer;
  /** Columns as stored, to learn the usual number of iterations from. */
  readonly sample: readonly string[];
}

/** @throws UnusablePasswordError for a row that nothing can be verified against */
export async function lookUpScram(input: ScramLookupInput): Promise<ScramLookup> {
  const { login, row } = input;
  const stored = row === null ? null : parseStoredPassword(row.password);
  // Derived for every name, needed or not: the time is the same for all.
  const derived = await derive(input, stored);
  if (login === null || row === null || stored === null) {
    return { found: 'decoy', reason: 'unknown user', credentials: derived };
  }
  if (!row.isActive) return { found: 'decoy', reason: 'disabled user', credentials: derived };
  switch (stored.kind) {
    case 'scram':
      return { found: 'credentials', identity: login, credentials: stored.credentials };
    case 'plain':
      return { found: 'credentials', identity: login, credentials: derived };
    case 'argon2':
    case 'bcrypt':
    case 'sha-crypt':
    case 'salted-digest':
    case 'pbkdf2':
      return { found: 'decoy', reason: 'password not stored for SCRAM', credentials: derived };
  }
}

/** Salt and iterations depend on name and secret only: the same at each attempt. */
async function derive(
  { name, login, secret, sample }: ScramLookupInput,
  stored: StoredPassword | null,
): Promise<ScramCredentials> {
  const canonical = login === null ? name : Buffer.from(`${login.user}@${login.domain}`);
  const made = (purpose: string): Buffer =>
    createHmac('sha256', secret).update(`${purpose}\0`).update(canonical).digest();
  const password = stored?.kind === 'plain' ? stored.password : made('password');
  return deriveScramCredentials(
    (await saslprep(password, 'stored')) ?? password,
    made('salt').subarray(0, 16),
    usualIterations(sample),
  );
}

function usualIterations(sample: readonly string[]): number {
  const typical = parseStoredPassword(
    typicalPassword(sample.filter((text) => /^\{SCRAM-/i.test(text))),
  );
  return typical.kind === 'scram'
    ? typical.credentials.iterations
    : newPasswordCosts.scramIterations;
}
