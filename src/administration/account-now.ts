// What is stored for a user, and what would become of each password if a client sent it now. No
// password is asked for or shown.

import type { AccountRow, AccountSource } from '../auth/accounts/account-source.js';
import { SourceUnavailable } from '../auth/accounts/account-source.js';
import { loginClient, type LoginClient } from '../auth/accounts/login-client.js';
import type { LoginName } from '../auth/accounts/login-name.js';
import { parseSourceName } from '../auth/accounts/source-name.js';
import { openAccountSource, requireSources } from '../auth/open-sources.js';
import { schemeOf } from '../auth/stored/parse-stored-password.js';
import { UnusablePasswordError } from '../auth/stored/unusable-password.js';
import { permitOf, takeApart } from '../auth/verifying/account-passwords.js';

export interface AccountQuestion {
  readonly login: LoginName;
  /** Undefined: unknown, and in no network. */
  readonly from: string | undefined;
  /** What access rules give the address; null without rules. */
  readonly level: number | null;
  /** As `--passdb` names them. */
  readonly sources: readonly string[];
  readonly query: string | undefined;
  readonly allowsWeakSchemes: boolean;
}

/**
 * @returns a line for each password that is found and each source that says something else; and
 *   whether any source has the user
 * @throws ConfigurationError, UsageError for a source that cannot be understood
 */
export async function describeAccount(
  question: AccountQuestion,
): Promise<{ readonly text: string; readonly isKnown: boolean }> {
  const { sources, from, level } = question;
  await requireSources(question);
  // TLS decides in queries only, and most clients have it.
  const client = loginClient(from, { isTls: true, service: 'pop3', level });
  let text = '';
  for (const name of sources.map(parseSourceName)) {
    // A server's URI may hold a password.
    const { kind, place } = name;
    const shown = kind === 'postgresql' || kind === 'mysql' ? kind : place;
    const source = await openAccountSource(name, { query: question.query, sessions: 'one' });
    if (source === null) {
      text += `  ${shown}: says only whether a password is right\n`;
      continue;
    }
    const lines = await linesOf(source, client, question);
    text += lines.map((line) => `  ${shown}: ${line}\n`).join('');
    // The first that has the user decides, and one that cannot tell ends the search.
    if (lines.length > 0) return { text, isKnown: true };
    text += `  ${shown}: no such user\n`;
  }
  return { text, isKnown: false };
}

async function linesOf(
  source: AccountSource,
  client: LoginClient,
  { login, allowsWeakSchemes }: AccountQuestion,
): Promise<readonly string[]> {
  try {
    const rows = await source.find(login, client);
    takeApart(rows, { allowsWeakSchemes });
    return rows.map((row) => {
      const { label, password, isReadOnly, days } = row;
      const what = [
        label === null ? 'the password' : `"${label}"`,
        schemeOf(password),
        ...(isReadOnly ? ['read-only'] : []),
        ...(days === null ? [] : [`${days} days`]),
      ];
      return `${what.join(', ')}: ${fateOf(row, client, allowsWeakSchemes)}`;
    });
  } catch (error) {
    const isExpected = error instanceof SourceUnavailable || error instanceof UnusablePasswordError;
    if (!isExpected) throw error;
    return [`no login is possible: ${error.message}`];
  } finally {
    source.close();
  }
}

function fateOf(row: AccountRow, client: LoginClient, allowsWeakSchemes: boolean): string {
  const { usable, fault } = takeApart([row], { allowsWeakSchemes });
  if (fault !== null) return `cannot be verified, ${fault.message}`;
  const [password] = usable;
  if (password === undefined) return 'locked';
  const { refusal } = permitOf(password, client);
  return refusal === null ? 'accepted' : `refused, ${refusal}`;
}
