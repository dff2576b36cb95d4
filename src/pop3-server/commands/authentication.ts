// AUTH and APOP. RFC 5034, RFC 4422; RFC 1939 §7.

import type { Verdict } from '../../auth/accounts/authenticator.js';
import type { SaslStep } from '../../auth/mechanisms/sasl-mechanism.js';
import type { SaslMechanismName } from '../../auth/mechanisms/sasl-mechanisms.js';
import type { ApopArguments, AuthArguments } from './arguments.js';
import { tryBase64 } from '../../wire/base64.js';
import { concludeLogin, refuse, refuseCleartext, reportRefusal } from './authorization.js';
import { error, lineTooLong, type Outcome } from './outcome.js';
import type { Authorization } from './session-state.js';
import { loginClientOf, type SessionContext } from './session-context.js';

/** The mechanisms that can be used on this connection, the strongest first. */
export async function mechanismsFor(
  context: SessionContext,
): Promise<readonly SaslMechanismName[]> {
  const { offeredMechanisms } = await import('../../auth/mechanisms/sasl-mechanisms.js');
  return offeredMechanisms({
    authenticator: await context.service.authenticator(),
    channelBindings: context.link.channelBindings,
    allowsCleartext: context.link.allowsLogin,
  });
}

/** Without a mechanism it lists them: Outlook asks so. */
export async function auth(
  { mechanism, initialResponse }: AuthArguments,
  _state: Authorization,
  context: SessionContext,
): Promise<Outcome> {
  const refusal = refuseCleartext(context);
  if (refusal !== null) return refusal;
  const offered = await mechanismsFor(context);
  if (mechanism === null) return { kind: 'listing', text: 'mechanisms', lines: offered };
  const name = offered.find((candidate) => candidate === mechanism);
  if (name === undefined) return error('unknown-mechanism');
  const { createSaslExchange } = await import('../../auth/mechanisms/sasl-mechanisms.js');
  const exchange = createSaslExchange(name, {
    authenticator: await context.service.authenticator(),
    client: loginClientOf(context),
    channelBindings: context.link.channelBindings,
  });
  let step = await exchange.start(initialResponse);
  while (step.step === 'challenge') {
    if (step.tellsVerdict === true && !(await context.waitForVerdict()))
      return { kind: 'broken-off' };
    const answer = await ask(step.challenge, context);
    if (!Buffer.isBuffer(answer)) return breakOff(answer, { name, about: step.about }, context);
    step = await exchange.respond(answer);
  }
  const attempt = { name: 'name' in step ? nameOf(step.name) : '', mechanism: name };
  return concludeLogin(verdictOf(step), attempt, context);
}

/** Why an exchange ends before its mechanism has said anything. */
type Break = 'cancelled' | 'bad-base64' | 'line-too-long' | 'over';

async function ask(challenge: Buffer, context: SessionContext): Promise<Buffer | Break> {
  const line = await context.ask(challenge);
  if (line === null) return 'over';
  if (line === 'too-long') return 'line-too-long';
  const text = line.toString('latin1');
  return text === '*' ? 'cancelled' : (tryBase64(text) ?? 'bad-base64');
}

/**
 * An exchange that the client breaks off after it named a user is a failed login. The challenge has
 * told it something of that user, such as the salt of SCRAM.
 */
async function breakOff(
  why: Break,
  { name, about }: { readonly name: SaslMechanismName; readonly about: Buffer | undefined },
  context: SessionContext,
): Promise<Outcome> {
  if (about !== undefined) {
    const reason = `the exchange was broken off: ${reasons[why]}`;
    const waiting = context.failLogin();
    reportRefusal({ name: nameOf(about), mechanism: name }, { code: 'AUTH', reason }, context);
    await waiting;
  }
  if (why === 'over') return { kind: 'broken-off' };
  return why === 'line-too-long' ? lineTooLong : error(why);
}

const reasons: Readonly<Record<Break, string>> = {
  cancelled: 'cancelled by the client',
  'bad-base64': 'no base64',
  'line-too-long': 'a line was too long',
  over: 'the session ended',
};

function verdictOf(step: Exclude<SaslStep, { step: 'challenge' }>): Verdict {
  switch (step.step) {
    case 'accepted':
      return { verdict: 'accepted', identity: step.identity, grant: step.grant };
    case 'rejected':
      return { verdict: 'rejected', reason: step.reason };
    case 'unavailable':
      return { ...step, verdict: 'unavailable' };
  }
}

export async function apop(
  { name, digest }: ApopArguments,
  _state: Authorization,
  context: SessionContext,
): Promise<Outcome> {
  const { apopTimestamp } = context;
  if (apopTimestamp === null) return error('no-apop');
  const refusal = refuseCleartext(context);
  if (refusal !== null) return refusal;
  const attempt = { name, mechanism: 'APOP' };
  try {
    const { verifyApop } = await import('../../auth/mechanisms/apop.js');
    const authenticator = await context.service.authenticator();
    const login = { name: Buffer.from(name, 'latin1'), digest, timestamp: apopTimestamp };
    const verdict = await verifyApop(authenticator, login, loginClientOf(context));
    return await concludeLogin(verdict, attempt, context);
  } catch (failure) {
    const reason = (failure as Error).message;
    return refuse(attempt, { text: 'login-unavailable', code: 'SYS/TEMP', reason }, context);
  }
}

function nameOf(name: Buffer | null): string {
  return name?.toString('latin1') ?? '';
}
