// passdb app: passwords for single devices and programs, generated, printed once, and each with
// what it allows.

import { randomInt } from 'node:crypto';
import { exitCode, type ExitCode } from '../../system/failures/exit-code.js';
import type { LoginName } from '../accounts/login-name.js';
import type { AppPassword } from '../accounts/account-store.js';
import { hashScram, newScramLook } from '../stored/make-password.js';
import { parseStoredPassword } from '../stored/parse-stored-password.js';
import type { PassdbContext } from './passdb-commands.js';
import { openAccountStore, openAppPasswordStore, using } from './open-stores.js';
import { printable, refuse } from './passdb-output.js';

export interface AppPasswordOptions {
  /** Null: the first of `app`, `app2` … that is free. */
  readonly label: string | null;
  readonly networks: string | null;
  readonly isReadOnly: boolean;
  readonly days: number | null;
  readonly expiresInDays: number | null;
}

const msPerDay = 86_400_000;

/** Prints the new password. `no` when there is no such user, or one with this label already. */
export async function addAppPassword(
  context: PassdbContext,
  name: LoginName,
  options: AppPasswordOptions,
): Promise<ExitCode> {
  const stored = await using(openAccountStore(context), (editor) => editor.passwordOf(name));
  if (stored === null) return refuse(context, name, 'no such user');
  const existing = await using(openAppPasswordStore(context), (editor) => editor.list(name));
  const { networks, isReadOnly, days, expiresInDays } = options;
  const label = options.label ?? freeLabel(existing);
  const password = generatePassword();
  const look = scramLookOf([stored, ...existing.map((other) => other.password)]);
  const row = {
    ...{ label, networks, isReadOnly, days },
    password: await hashScram(Buffer.from(password), look),
    expiresAt: expiresInDays === null ? null : new Date(Date.now() + expiresInDays * msPerDay),
  };
  if (!(await using(openAppPasswordStore(context), (editor) => editor.add(name, row)))) {
    return refuse(context, name, `there is a password "${label}" already`);
  }
  context.output.write(`${password}\n`);
  return exitCode.ok;
}

/** `no` when there is none of this label. */
export async function removeAppPassword(
  context: PassdbContext,
  name: LoginName,
  label: string,
): Promise<ExitCode> {
  return (await using(openAppPasswordStore(context), (editor) => editor.remove(name, label)))
    ? exitCode.ok
    : refuse(context, name, `there is no password "${label}"`);
}

/**
 * Prints a line for each, tabs between: address, label, active or expired, when it was made and
 * when it expires, networks, what it may do, days of mail; a dash for what is not limited. `no`
 * when there is no such user.
 */
export async function listAppPasswords(
  context: PassdbContext,
  only: LoginName | null,
): Promise<ExitCode> {
  const all = await using(openAppPasswordStore(context), (editor) => editor.list(only));
  if (only !== null && all.length === 0) {
    const isKnown = await using(openAccountStore(context), (editor) => editor.has(only));
    if (!isKnown) return refuse(context, only, 'no such user');
  }
  for (const { user, domain, label, networks, isReadOnly, days, createdAt, expiresAt } of all) {
    const isExpired = expiresAt !== null && expiresAt.getTime() <= Date.now();
    const columns = [
      printable(`${user}@${domain}`),
      printable(label),
      isExpired ? 'expired' : 'active',
      dayOf(createdAt),
      expiresAt === null ? '-' : dayOf(expiresAt),
      printable(networks ?? '-'),
      isReadOnly ? 'read-only' : '-',
      String(days ?? '-'),
    ];
    context.output.write(`${columns.join('\t')}\n`);
  }
  return exitCode.ok;
}

/**
 * The salt and iterations of the user's first password for SCRAM: with one salt, a client can use
 * SCRAM with any of them. The new password is random, so that the salt hides nothing of it.
 */
function scramLookOf(stored: readonly string[]): ReturnType<typeof newScramLook> {
  for (const text of stored) {
    try {
      const parsed = parseStoredPassword(text);
      if (parsed.kind === 'scram') return parsed.credentials;
    } catch {
      // It cannot be verified, which is not what is asked for here.
    }
  }
  return newScramLook();
}

function freeLabel(existing: readonly AppPassword[]): string {
  const taken = new Set(existing.map(({ label }) => label));
  for (let number = 1; ; number += 1) {
    const label = number === 1 ? 'app' : `app${number}`;
    if (!taken.has(label)) return label;
  }
}

/** Five groups of four small letters: 94 bits, and nothing that looks like something else. */
function generatePassword(): string {
  const letter = (): string => String.fromCharCode(0x61 + randomInt(26));
  const group = (): string => Array.from({ length: 4 }, letter).join('');
  return Array.from({ length: 5 }, group).join('-');
}

function dayOf(date: Date): string {
  return date.toISOString().slice(0, 10);
}
