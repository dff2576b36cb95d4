// The credentials that a SCRAM-SHA-256 exchange gets for a name: real ones, ones derived from a
// password in clear, or made-up ones that look and take as long as either (RFC 5802 §9: an attacker
// must not learn which users exist).

import { createHmac, hkdfSync } from 'node:crypto';
import type {
  FoundPassword,
  ScramCredentials,
  ScramLookup,
  ScramPassword,
} from '../accounts/authenticator.js';
import type { LoginName } from '../accounts/login-name.js';
import { newPasswordCosts } from '../stored/make-password.js';
import { saslprep } from '../stored/saslprep.js';
import { deriveScramCredentials } from '../stored/scram-keys.js';
import type { StoredPassword } from '../stored/parse-stored-password.js';

/** A password that is stored for an account, and what comes with it. */
export interface ScramCandidate extends FoundPassword {
  readonly stored: StoredPassword;
  readonly isActive: boolean;
}

export interface ScramLookupInput {
  /** Null when no maildrop can have the name. */
  readonly login: LoginName | null;
  /** None when there is no such account. The first that can use SCRAM decides on the salt. */
  readonly candidates: readonly ScramCandidate[];
  /** What the log is told where none of them is right. */
  readonly mismatch: string;
  /** 32 octets that depend on the name and a secret. */
  readonly seed: Buffer;
  /**
   * Of an account that can use SCRAM, chosen by the name: what is made up looks like it. Null when
   * there is none.
   */
  readonly model: StoredPassword | null;
}

/** What a client sees of somebody's credentials before it proves anything. */
interface Look {
  readonly iterations: number;
  readonly saltOctets: number;
}

/** What is derived from a password in clear. */
const derivedLook: Look = { iterations: newPasswordCosts.scramIterations, saltOctets: 16 };

/** Whether a stored password serves SCRAM-SHA-256. */
export function canUseScram(stored: StoredPassword | null): boolean {
  return stored?.kind === 'scram' || stored?.kind === 'plain';
}

/**
 * A client learns the salt before it proves anything, so that only passwords with one salt can be
 * told apart by the proof: the first that can use SCRAM, and those that were made like it.
 */
export async function lookUpScram(input: ScramLookupInput): Promise<ScramLookup> {
  const { login, candidates, mismatch, model, seed } = input;
  const leader = candidates.find(({ stored }) => canUseScram(stored));
  // Derived for every name, needed or not: the time is the same for all.
  const derived = await derive(
    seed,
    leader?.stored.kind === 'plain' ? leader.stored.password : null,
  );
  if (login === null || candidates.length === 0) {
    const credentials = decoy(seed, model);
    return { found: 'decoy', isUnknown: true, reason: 'unknown user', credentials };
  }
  if (leader === undefined) {
    const isActive = candidates.some((candidate) => candidate.isActive);
    const reason = isActive ? 'password not stored for SCRAM' : 'disabled user';
    return { found: 'decoy', reason, credentials: decoy(seed, model) };
  }
  const credentials = leader.stored.kind === 'scram' ? leader.stored.credentials : derived;
  if (!leader.isActive) return { found: 'decoy', reason: 'disabled user', credentials };
  const passwords = candidates.flatMap((candidate) => {
    const keys = candidate === leader ? credentials : keysLike(credentials, candidate.stored);
    return keys === null ? [] : [{ ...permit(candidate), ...keysOf(keys) }];
  });
  return { found: 'credentials', identity: login, credentials, passwords, mismatch };
}

/** @returns null for a password that was not made with the same salt and as many iterations */
function keysLike(leader: ScramCredentials, stored: StoredPassword): ScramCredentials | null {
  if (stored.kind !== 'scram') return null;
  const { credentials } = stored;
  const isAlike =
    credentials.iterations === leader.iterations && credentials.salt.equals(leader.salt);
  return isAlike ? credentials : null;
}

function keysOf({
  storedKey,
  serverKey,
}: ScramCredentials): Omit<ScramPassword, 'grant' | 'refusal'> {
  return { storedKey, serverKey };
}

function permit({ grant, refusal }: FoundPassword): FoundPassword {
  return { grant, refusal };
}

async function derive(seed: Buffer, password: Buffer | null): Promise<ScramCredentials> {
  const clear = password ?? seed;
  return deriveScramCredentials(
    (await saslprep(clear, 'stored')) ?? clear,
    saltFor(seed, derivedLook),
    derivedLook.iterations,
  );
}

function decoy(seed: Buffer, model: StoredPassword | null): ScramCredentials {
  const look =
    model?.kind === 'scram'
      ? { iterations: model.credentials.iterations, saltOctets: model.credentials.salt.length }
      : derivedLook;
  const made = (purpose: string): Buffer => createHmac('sha256', seed).update(purpose).digest();
  return {
    salt: saltFor(seed, look),
    iterations: look.iterations,
    storedKey: made('stored key'),
    serverKey: made('server key'),
  };
}

/** Another look comes with another salt, as after a change of password. */
function saltFor(seed: Buffer, { iterations, saltOctets }: Look): Buffer {
  return Buffer.from(hkdfSync('sha256', seed, '', `salt ${iterations} ${saltOctets}`, saltOctets));
}
