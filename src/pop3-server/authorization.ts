// AUTHORIZATION: USER, PASS. RFC 1939 §7, RFC 3206, RFC 2449 §8.1. CAPA and QUIT stand here too.

import type { Identity, Verdict } from '../auth/authenticator.js';
import { error, ok, type Outcome } from './outcome.js';
import { MaildropRefused, type MaildropSession, type Service } from './service.js';
import type { Authorization } from './session-state.js';

/** What the handlers of this state are given. */
export interface AuthorizationContext extends MaildropSession {
  readonly service: Service;
}

/** USER answers every name alike: whether it exists is not for strangers to know. RFC 1939 §13. */
export function user(name: string, state: Authorization): Outcome {
  state.userName = name;
  return ok('user-accepted');
}

export async function pass(
  password: Buffer,
  state: Authorization,
  context: AuthorizationContext,
): Promise<Outcome> {
  const { userName } = state;
  if (userName === null) return error('needs-user');
  state.userName = null;
  const name = Buffer.from(userName, 'latin1');
  let verdict: Verdict;
  try {
    const authenticator = await context.service.authenticator();
    verdict = await authenticator.verifyPassword(name, password);
  } catch (failure) {
    verdict = { verdict: 'unavailable', isLasting: false, reason: (failure as Error).message };
  }
  return concludeLogin(verdict, { name: userName, mechanism: 'USER' }, context);
}

/** Who tried to log in, and how: for the log. */
export interface LoginAttempt {
  /** As the client gave it, latin1. */
  readonly name: string;
  readonly mechanism: string;
}

/** Turns a verdict into the reply, and opens the maildrop when it is accepted. Every mechanism ends here. */
export async function concludeLogin(
  verdict: Verdict,
  attempt: LoginAttempt,
  context: AuthorizationContext,
): Promise<Outcome> {
  switch (verdict.verdict) {
    case 'accepted':
      return openMaildrop(verdict.identity, attempt, context);
    case 'rejected':
      reportFailure(attempt, verdict.reason, context);
      return { ...error('login-failed', undefined, 'AUTH'), isFailedLogin: true };
    case 'unavailable':
      reportFailure(attempt, verdict.reason, context);
      return error('login-unavailable', undefined, verdict.isLasting ? 'SYS/PERM' : 'SYS/TEMP');
  }
}

async function openMaildrop(
  identity: Identity,
  attempt: LoginAttempt,
  context: AuthorizationContext,
): Promise<Outcome> {
  try {
    const maildrop = await context.service.openMaildrop(identity, context);
    return {
      kind: 'enter-transaction',
      login: { identity, mechanism: attempt.mechanism, maildrop },
    };
  } catch (failure) {
    reportFailure(attempt, (failure as Error).message, context);
    return failure instanceof MaildropRefused
      ? error('maildrop-refused', undefined, 'SYS/PERM')
      : error('maildrop-unavailable', undefined, 'SYS/TEMP');
  }
}

function reportFailure(attempt: LoginAttempt, reason: string, context: AuthorizationContext): void {
  context.report('failure', { user: attempt.name, mechanism: attempt.mechanism, reason });
}
