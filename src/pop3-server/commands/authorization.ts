// USER and PASS, and what every login ends with. RFC 1939 §7, RFC 3206, RFC 2449 §8.1.

import type { Accepted, Verdict } from '../../auth/accounts/authenticator.js';
import type { ResponseCode } from '../../wire/response.js';
import { error, ok, type ErrorOutcome, type Outcome } from './outcome.js';
import { MaildropRefused } from '../../maildrop/messages/maildrop-refused.js';
import { loginClientOf, type SessionContext } from './session-context.js';
import type { Authorization } from './session-state.js';

/** USER answers every name alike, so that nobody learns which names exist. RFC 1939 §13. */
export function user(name: string, state: Authorization, context: SessionContext): Outcome {
  const refusal = refuseCleartext(context);
  if (refusal !== null) return refusal;
  state.userName = name;
  return ok('user-accepted');
}

export async function pass(
  password: Buffer,
  state: Authorization,
  context: SessionContext,
): Promise<Outcome> {
  const refusal = refuseCleartext(context);
  if (refusal !== null) return refusal;
  const { userName } = state;
  if (userName === null) return error('needs-user');
  state.userName = null;
  const name = Buffer.from(userName, 'latin1');
  let verdict: Verdict;
  try {
    const authenticator = await context.service.authenticator();
    verdict = await authenticator.verifyPassword(name, password, loginClientOf(context));
  } catch (failure) {
    verdict = { verdict: 'unavailable', isLasting: false, reason: (failure as Error).message };
  }
  return concludeLogin(verdict, { name: userName, mechanism: 'USER' }, context);
}

/** The text tells a user what to switch on. @returns null where a login may happen */
export function refuseCleartext({ link }: SessionContext): ErrorOutcome | null {
  return link.allowsLogin ? null : error('cleartext-refused', undefined, 'AUTH');
}

/** Who tried to log in, and how: for the log. */
export interface LoginAttempt {
  /** As the client gave it, latin1. */
  readonly name: string;
  readonly mechanism: string;
}

/**
 * Turns a verdict into the reply, and opens the maildrop when it is accepted. Every mechanism ends
 * here. The reply to a right or wrong password waits for the delay of earlier failures, and so does
 * one that shows that an account exists. Else, when the password could not be checked, the reply is
 * sent at once.
 */
export async function concludeLogin(
  verdict: Verdict,
  attempt: LoginAttempt,
  context: SessionContext,
): Promise<Outcome> {
  switch (verdict.verdict) {
    case 'accepted':
      if (!(await context.waitForVerdict())) return { kind: 'broken-off' };
      return openMaildrop(verdict, attempt, context);
    case 'rejected': {
      const refusal = { text: 'login-failed', code: 'AUTH', reason: verdict.reason } as const;
      return failLogin(attempt, refusal, context);
    }
    case 'unavailable': {
      const code = verdict.isLasting ? 'SYS/PERM' : 'SYS/TEMP';
      const refusal = { text: 'login-unavailable', code, reason: verdict.reason } as const;
      const conclude = verdict.isCounted === true ? failLogin : refuse;
      return conclude(attempt, refusal, context);
    }
  }
}

/** A login that counts as failed. */
export async function failLogin(
  attempt: LoginAttempt,
  refusal: Refusal,
  context: SessionContext,
): Promise<Outcome> {
  // Counted before it is logged: somebody who sees the log line may connect again, and that login
  // must be delayed already.
  const waiting = context.failLogin();
  const outcome = refuse(attempt, refusal, context);
  await waiting;
  return outcome;
}

async function openMaildrop(
  accepted: Accepted,
  attempt: LoginAttempt,
  context: SessionContext,
): Promise<Outcome> {
  const { identity, grant } = accepted;
  const { service, peer, link } = context;
  const { mechanism } = attempt;
  service.noteLogin?.({ accepted, mechanism, peer, tlsVersion: link.tlsVersion });
  try {
    const maildrop = await service.openMaildrop(accepted, context);
    return {
      kind: 'enter-transaction',
      login: { identity, grant, mechanism, maildrop },
    };
  } catch (failure) {
    const named = { ...attempt, name: `${identity.user}@${identity.domain}` };
    const reason = (failure as Error).message;
    return failure instanceof MaildropRefused
      ? refuse(named, { text: 'maildrop-refused', code: 'SYS/PERM', reason }, context)
      : refuse(named, { text: 'maildrop-unavailable', code: 'SYS/TEMP', reason }, context);
  }
}

/** Why a login failed: the client gets text and code, the log code and reason. */
export interface Refusal {
  readonly text: string;
  /** `AUTH` says that it was the client's fault. RFC 3206 §4, §5. */
  readonly code: ResponseCode;
  readonly reason: string;
}

/**
 * One line for each login that failed. What the client chose, the name as given, stands behind what
 * it could not, so that programs that read logs, such as fail2ban, are not taken in by a name that
 * looks like other fields.
 */
export function reportRefusal(
  attempt: LoginAttempt,
  { code, reason }: Pick<Refusal, 'code' | 'reason'>,
  { peer, report }: SessionContext,
): void {
  report('failure', { peer, code, user: attempt.name, mechanism: attempt.mechanism, reason });
}

export function refuse(
  attempt: LoginAttempt,
  refusal: Refusal,
  context: SessionContext,
): ErrorOutcome {
  reportRefusal(attempt, refusal, context);
  return error(refusal.text, undefined, refusal.code);
}
