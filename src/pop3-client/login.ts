// Logging in with the strongest mechanism that the server offers. RFC 1939 §7 (USER, PASS, APOP), RFC 5034.

import { createHash } from 'node:crypto';
import { TemporaryError } from '../system/program.js';
import { formatCommandLine } from '../wire/command-line.js';
import type { Response } from '../wire/response.js';
import type { Capabilities, Pop3Client } from './client.js';
import { LostStep, quoteServerText, Refused } from './failures.js';
import type { AuthMode } from './settings.js';
import { saslMechanisms, type SaslExchange } from './sasl.js';

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

/** A challenge longer than any mechanism's. */
const maxChallenges = 8;

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
  const offered = (capabilities.get('SASL') ?? []).map((name) => name.toUpperCase());
  // A server without CAPA can only be asked with what every server knows.
  const hasUser = capabilities.size === 0 || capabilities.has('USER');
  const direct: readonly Method[] = offered.includes('PLAIN')
    ? ['plain']
    : hasUser || (isProtected && offered.length === 0)
      ? ['user']
      : [];
  if (offered.includes('SCRAM-SHA-256')) return ['scram-sha-256', ...direct];
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
      return authenticate(client, saslMechanisms[method](credentials));
  }
}

/** RFC 5034 §4: the initial response goes with the command while the line stays within 255 octets. */
async function authenticate(client: Pop3Client, exchange: SaslExchange): Promise<Response> {
  const { replies } = client;
  const initial = exchange.initialResponse().toString('base64');
  const line = formatCommandLine('AUTH', exchange.name, initial === '' ? '=' : initial);
  const fits = line.length <= 255;
  client.send(fits ? line : formatCommandLine('AUTH', exchange.name));
  let isInitialDue = !fits;
  for (let count = 0; count < maxChallenges; count += 1) {
    const reply = await replies.readSaslReply();
    if (reply.kind === 'response') {
      if (reply.response.isOk && !exchange.isComplete()) {
        throw new Refused('the server did not prove that it knows the password');
      }
      return reply.response;
    }
    if (isInitialDue) {
      client.send(`${initial}\r\n`);
      isInitialDue = false;
      continue;
    }
    const answer = exchange.answer(Buffer.from(reply.base64, 'base64'));
    // RFC 5034 §4: "*" cancels; the server's -ERR follows.
    client.send(answer === null ? '*\r\n' : `${answer.toString('base64')}\r\n`);
    if (answer === null) {
      await replies.readSaslReply();
      throw new Refused('the server did not prove that it knows the password');
    }
  }
  throw new LostStep('the server sends one challenge after another');
}
