// The passwords of one account, taken apart: which can be verified, in which order, and which of
// them may share one hash. doc/decisions/016-several-passwords.md.

import { maxRows, type AccountRow } from '../accounts/account-source.js';
import type { FoundPassword } from '../accounts/authenticator.js';
import type { LoginClient } from '../accounts/login-client.js';
import { isEqual } from '../stored/password-octets.js';
import { deriveScramCredentials } from '../stored/scram-keys.js';
import {
  isLockedPassword,
  parseStoredPassword,
  UnusablePasswordError,
  type ParseOptions,
  type StoredPassword,
} from '../stored/parse-stored-password.js';
import { verifyPassword } from '../stored/verify-password.js';
import { isPermitted } from './permitted-networks.js';

export interface Verifiable {
  readonly stored: StoredPassword;
}

export interface AccountPassword extends Verifiable {
  readonly row: AccountRow;
}

export interface AccountPasswords {
  /** In the source's order, but the one without a label first. */
  readonly usable: readonly AccountPassword[];
  /** Why the first of the others cannot be verified; null when all can, or are locked. */
  readonly fault: UnusablePasswordError | null;
}

export interface Match {
  readonly matching: AccountPassword | null;
  /** Of a password that was not compared, when none matches. */
  readonly fault: UnusablePasswordError | null;
}

/**
 * @throws UnusablePasswordError for more rows than may be, or two that have the same label or none:
 *   the log could not say which was used, and one of them is most likely a mistake in a query
 */
export function takeApart(rows: readonly AccountRow[], options: ParseOptions): AccountPasswords {
  requireDistinct(rows);
  const usable: AccountPassword[] = [];
  let fault: UnusablePasswordError | null = null;
  for (const row of rows) {
    if (isLockedPassword(row.password)) continue;
    try {
      const password = { row, stored: parseStoredPassword(row.password, options) };
      if (row.label === null) usable.unshift(password);
      else usable.push(password);
    } catch (error) {
      fault ??= faultOf(row, error);
    }
  }
  return { usable, fault };
}

/**
 * What is wrong with one of several passwords, which the label tells apart.
 *
 * @throws what is no fault of the password
 */
export function faultOf({ label }: AccountRow, error: unknown): UnusablePasswordError {
  if (!(error instanceof UnusablePasswordError)) throw error;
  return label === null ? error : new UnusablePasswordError(`"${label}": ${error.message}`);
}

/** For the log. @param fault of a password that was not compared */
export function mismatchOf(fault: UnusablePasswordError | null): string {
  const more = fault === null ? '' : `, but one that cannot be verified: ${fault.message}`;
  return `wrong password${more}`;
}

function requireDistinct(rows: readonly AccountRow[]): void {
  if (rows.length < 2) return;
  if (rows.length > maxRows) {
    throw new UnusablePasswordError(`the account has more than ${maxRows} rows`);
  }
  const labels = new Set<string | null>();
  for (const { label } of rows) {
    if (labels.has(label)) {
      const what = label === null ? 'without a label' : `with the label "${label}"`;
      throw new UnusablePasswordError(`the account has more than one row ${what}`);
    }
    labels.add(label);
  }
}

/** What a client may do with a password that is right. */
export function permitOf({ row }: AccountPassword, client: LoginClient): FoundPassword {
  const { maildrop, home, isReadOnly, days, label } = row;
  return { grant: { maildrop, home, isReadOnly, days, label }, refusal: refusalOf(row, client) };
}

function refusalOf({ isActive, networks, label }: AccountRow, client: LoginClient): string | null {
  if (!isActive) return 'disabled user';
  const which = label === null ? 'the password' : `the password "${label}"`;
  try {
    if (isPermitted(networks, client.address)) return null;
  } catch (error) {
    if (!(error instanceof UnusablePasswordError)) throw error;
    return `${which} is for networks that cannot be understood: ${error.message}`;
  }
  return `${which} is for other networks than ${client.address ?? 'that of a client without address'}`;
}

/**
 * Groups of which each costs one hash, the cheap ones first: whoever has a right password that is
 * quickly verified does not wait for the others.
 */
export function groupsOf(
  passwords: readonly AccountPassword[],
): readonly (readonly AccountPassword[])[] {
  if (passwords.length < 2) return [passwords];
  const groups: AccountPassword[][] = [];
  for (const password of passwords) {
    const group = groups.find(([first]) => first !== undefined && isOneHash(first, password));
    if (group === undefined) groups.push([password]);
    else group.push(password);
  }
  return groups.sort(([a], [b]) => costOf(a) - costOf(b));
}

function isOneHash({ stored: one }: Verifiable, { stored: other }: Verifiable): boolean {
  if (one.kind !== 'scram' || other.kind !== 'scram') return false;
  const [a, b] = [one.credentials, other.credentials];
  return a.iterations === b.iterations && a.salt.equals(b.salt);
}

function costOf(password: AccountPassword | undefined): number {
  const kind = password?.stored.kind;
  if (kind === 'plain' || kind === 'digest') return 0;
  return kind === 'scram' ? 1 : 2;
}

/** @param group as `groupsOf` made it. @throws as `verifyPassword` */
export async function matchIn<Password extends Verifiable>(
  group: readonly Password[],
  octets: Buffer,
): Promise<Password | null> {
  const [first, second] = group;
  if (first === undefined) return null;
  if (second === undefined || first.stored.kind !== 'scram') {
    return (await verifyPassword(first.stored, octets)) ? first : null;
  }
  const { salt, iterations } = first.stored.credentials;
  const { storedKey } = await deriveScramCredentials(octets, salt, iterations);
  const matching = group.filter(
    ({ stored }) => stored.kind === 'scram' && isEqual(stored.credentials.storedKey, storedKey),
  );
  return octets.length > 0 ? (matching[0] ?? null) : null;
}
