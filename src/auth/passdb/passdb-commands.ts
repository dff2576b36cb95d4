// The commands of passdb, on parsed arguments. Answers go to `output`, questions and refusals to
// `prompts`.

import { exitCode, type ExitCode } from '../../system/failures/exit-code.js';
import type { LoginName } from '../accounts/login-name.js';
import type { AccountStore } from '../accounts/account-store.js';
import { parseSourceName } from '../accounts/source-name.js';
import { openSources, requireSources } from '../open-sources.js';
import {
  hashPassword,
  UnstorablePasswordError,
  writableSchemes,
  type WritableScheme,
} from '../stored/make-password.js';
import { openAccountStore, using } from './open-stores.js';
import { printable, refuse } from './passdb-output.js';
import { readNewPassword, readPassword } from './password-input.js';
import {
  isLockedPassword,
  parseStoredPassword,
  schemeOf,
  UnusablePasswordError,
  verifiableSchemes,
  weakSchemes,
} from '../stored/parse-stored-password.js';
import { ConfigurationError, TemporaryError } from '../../system/failures/failures.js';

export interface PassdbContext {
  /** As `--passdb` names it. */
  readonly source: string;
  readonly allowsWeakSchemes: boolean;
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WritableStream;
  readonly prompts: NodeJS.WritableStream;
}

/** What `check` asks: more than passdb edits. */
export interface AskedSources {
  readonly sources: readonly string[];
  readonly query: string | undefined;
}

/** Adds a user, and the database when there is none. `no` when the user exists. */
export async function add(
  context: PassdbContext,
  name: LoginName,
  scheme: WritableScheme,
): Promise<ExitCode> {
  return withEditor(context, { isCreated: true }, async (editor) => {
    if (await editor.has(name)) return refuse(context, name, 'exists already');
    const stored = await newStoredPassword(context, scheme);
    // Another passdb may have been quicker while the password was typed.
    return (await editor.add(name, stored)) ? exitCode.ok : refuse(context, name, 'exists already');
  });
}

/** Gives a user another password. `no` when there is no such user. */
export async function setPassword(
  context: PassdbContext,
  name: LoginName,
  scheme: WritableScheme,
): Promise<ExitCode> {
  return withEditor(context, {}, async (editor) => {
    if (!(await editor.has(name))) return refuse(context, name, 'no such user');
    const stored = await newStoredPassword(context, scheme);
    return (await editor.setPassword(name, stored))
      ? exitCode.ok
      : refuse(context, name, 'no such user');
  });
}

/** Removes, disables or enables a user. `no` when there is no such user. */
export async function change(
  context: PassdbContext,
  name: LoginName,
  what: 'remove' | 'disable' | 'enable',
): Promise<ExitCode> {
  return withEditor(context, {}, async (editor) =>
    (await editor[what](name)) ? exitCode.ok : refuse(context, name, 'no such user'),
  );
}

/**
 * Prints a line for each user: address, scheme, state, between tabs. The state is `active`,
 * `disabled`, `locked` where no password is right, or `unusable` with a reason where none can be
 * verified. `no` when the one asked for is missing.
 */
export async function list(context: PassdbContext, only: LoginName | null): Promise<ExitCode> {
  return withEditor(context, {}, async (editor) => {
    const users = (await editor.list()).filter(
      ({ user, domain }) => only === null || (user === only.user && domain === only.domain),
    );
    for (const { user, domain, password, isActive } of users) {
      const state = isActive ? stateOf(password, context) : 'disabled';
      context.output.write(`${printable(`${user}@${domain}`)}\t${schemeOf(password)}\t${state}\n`);
    }
    return only !== null && users.length === 0
      ? refuse(context, only, 'no such user')
      : exitCode.ok;
  });
}

function stateOf(password: string, context: PassdbContext): string {
  if (isLockedPassword(password)) return 'locked';
  try {
    parseStoredPassword(password, context);
    return 'active';
  } catch (error) {
    if (!(error instanceof UnusablePasswordError)) throw error;
    return `unusable: ${printable(error.message)}`;
  }
}

/** Verifies a password as pop3d would, of any sources. `no` when pop3d would reject it. */
export async function check(
  context: PassdbContext,
  name: LoginName,
  asked: AskedSources,
): Promise<ExitCode> {
  const { sources, query } = asked;
  // What is wrong with the source is said before the password is asked for.
  await requireSources(asked);
  const isOwnFile = parseSourceName(context.source).kind === 'sqlite' && query === undefined;
  if (isOwnFile && sources.length === 1) await withEditor(context, {}, () => exitCode.ok);
  const password = await readPassword(context);
  const database = await openSources({ ...context, ...asked, sessions: 'one' });
  try {
    const address = Buffer.from(`${name.user}@${name.domain}`);
    const answer = await database.verifyPassword(address, password);
    switch (answer.verdict) {
      case 'accepted':
        // Of an application password.
        if (answer.grant.label !== null) context.output.write(`${printable(answer.grant.label)}\n`);
        return exitCode.ok;
      case 'rejected':
        return refuse(context, name, answer.reason);
      case 'unavailable':
        throw answer.isLasting
          ? new ConfigurationError(answer.reason)
          : new TemporaryError(answer.reason);
    }
  } finally {
    database.close();
  }
}

/**
 * Prints a line for each scheme: its name, a tab, and whether new passwords can be stored in it or
 * old ones verified only.
 */
export function listSchemes({ output }: PassdbContext): ExitCode {
  const readOnly = verifiableSchemes.filter(
    (name) => !(writableSchemes as readonly string[]).includes(name),
  );
  writableSchemes.forEach((name, index) => {
    output.write(`${name}\t${index === 0 ? 'default' : 'stored and verified'}\n`);
  });
  for (const name of readOnly) output.write(`${name}\tverified\n`);
  for (const name of weakSchemes) {
    output.write(`${name}\tverified with --allow-weak-schemes\n`);
  }
  return exitCode.ok;
}

async function withEditor(
  { source }: PassdbContext,
  options: { readonly isCreated?: boolean },
  work: (editor: AccountStore) => Promise<ExitCode> | ExitCode,
): Promise<ExitCode> {
  return using(openAccountStore({ source, ...options }), work);
}

async function newStoredPassword(context: PassdbContext, scheme: WritableScheme): Promise<string> {
  const password = await readNewPassword(context);
  try {
    return await hashPassword(scheme, password);
  } catch (error) {
    if (error instanceof UnstorablePasswordError) throw new ConfigurationError(error.message);
    throw error;
  }
}
