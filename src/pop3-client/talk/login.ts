// Logging in with the strongest mechanism that the server offers. RFC 1939 §7 (USER, PASS, APOP), RFC 5034.

import { createHash } from 'node:crypto';
import type { Response } from '../../wire/response.js';
import type { Capabilities, Pop3Client } from './client.js';
import { quoteServerText, Refused } from '../settings/failures.js';
import { authenticate } from './sasl-login.js';
import type { AuthMode } from '../settings/settings.js';
import { TemporaryError } from '../../system/failures/failures.js';

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

export interface LoginContext {
  readonly capabilities: Capabilities;
  /** APOP's timestamp out of the greeting; null when it had none. */
  readonly timestamp: string | null;
  readonly isProtected: boolean;
  readonly auth: AuthMode;
}

type Method = Exclude<AuthMode, 'auto'>;

/** APOP's timestamp: an RFC 822 msg-id in the greeting. RFC 1939 §7. */
export function findTimestamp(greeting: string): string | null {
  return /<[!-;=?-~]+@[!-;=?-~]+>/.exec(greeting)?.[0] ?? null;
}

/**
 * Logs in. When the best method is refused, one that sends the password itself gets a try: a server may offer SCRAM or APOP
 * and keep this user's password in a form that fits neither.
 *
 * @returns the name of the method that did it
 * @throws Refused for a wrong name or password, or no usable method; TemporaryError when the server says to try again
 */
export async function logIn(
  client: Pop3Client,
  credentials: Credentials,
  context: LoginContext,
): Promise<string> {
  const methods = chooseMethods(context);
  let refusal: Response | null = null;
  for (const method of methods) {
    const response = await attempt(client, method, credentials, context);
    if (response.isOk) return method;
    refusal = response;
    if (isPassing(response)) break;
  }
  const { code, text } = refusal ?? { code: null, text: '' };
  const said = quoteServerText(code === null ? text : `[${code}] ${text}`);
  if (refusal !== null && isPassing(refusal)) {
    throw new TemporaryError(`the server does not let ${credentials.user} in now: ${said}`);
  }
  throw new Refused(`the server refused the login of ${credentials.user}: ${said}`);
}

/** RFC 2449 §8.1, RFC 3206 §4. */
function isPassing(response: Response): boolean {
  return ['IN-USE', 'LOGIN-DELAY', 'SYS/TEMP'].includes(response.code ?? '');
}

function chooseMethods(context: LoginContext): readonly Method[] {
  const { auth, capabilities, isProtected, timestamp } = context;
  if (auth === 'apop' && timestamp === null) {
    throw new Refused('the server offers no APOP: its greeting has no timestamp');
  }
  if (auth !== 'auto') return [auth];
  const offered = offeredMechanisms(capabilities);
  // A server without CAPA can only be asked with what every server knows.
  const hasUser = capabilities.size === 0 || capabilities.has('USER');
  const direct: readonly Method[] = offered.includes('PLAIN')
    ? ['plain']
    : hasUser || (isProtected && offered.length === 0)
      ? ['user']
      : [];
  if (offered.some((name) => name.startsWith('SCRAM-SHA-256'))) return ['scram-sha-256', ...direct];
  if (timestamp !== null && !isProtected) return ['apop', ...direct];
  if (direct.length > 0) return direct;
  const names = ['SASL', ...offered].join(' ');
  throw new Refused(
    `the server offers no login that pop3get knows (${quoteServerText(names)})` +
      (isProtected ? '' : '; it may want TLS first: see --tls'),
  );
}

async function attempt(
  client: Pop3Client,
  method: Method,
  credentials: Credentials,
  context: LoginContext,
): Promise<Response> {
  const { user, password } = credentials;
  switch (method) {
    case 'user': {
      const response = await client.exchange('USER', user);
      return response.isOk ? client.exchange('PASS', password) : response;
    }
    case 'apop': {
      const digest = createHash('md5').update(`${context.timestamp ?? ''}${password}`);
      return client.exchange('APOP', user, digest.digest('hex'));
    }
    case 'plain':
    case 'scram-sha-256':
      return authenticate(client, {
        mechanism: method,
        username: user,
        password,
        offered: offeredMechanisms(context.capabilities),
        tls: client.tls,
      });
  }
}

function offeredMechanisms(capabilities: Capabilities): readonly string[] {
  return (capabilities.get('SASL') ?? []).map((name) => name.toUpperCase());
}
