// The OAuth 2 server of a provider, over oauth4webapi: its addresses, its errors in words. RFC
// 6749, RFC 8414.

import * as oauth from 'oauth4webapi';
import { ConfigurationError, TemporaryError } from '../system/failures/failures.js';
import { isLoopback, type Provider } from './provider.js';

const timeoutMs = 30_000;

export interface AuthorizationServer {
  readonly metadata: oauth.AuthorizationServer;
  readonly client: oauth.Client;
  readonly authentication: oauth.ClientAuth;
}

/** The tokens that a server gave. */
export interface Tokens {
  readonly accessToken: string;
  /** Null when the server did not say. */
  readonly lifetimeSeconds: number | null;
  /** Null when the one from before goes on. */
  readonly refreshToken: string | null;
  /** How long the grant lasts; null when the server did not say. */
  readonly grantSeconds: number | null;
}

/** The user, or whoever administers the mailbox, ended what was granted. RFC 6749 §5.2. */
export class GrantEnded extends ConfigurationError {}

/**
 * Looks up what the provider does not say itself.
 *
 * @throws ConfigurationError, TemporaryError
 */
export async function openAuthorizationServer(provider: Provider): Promise<AuthorizationServer> {
  const { issuer, authorize, device, token, clientId, clientSecret } = provider;
  if (clientId === null) {
    throw new ConfigurationError(
      `${provider.name} knows programs by an id: register one there and give --client-id, or client-id in a provider file`,
    );
  }
  const given = {
    ...(authorize === null ? {} : { authorization_endpoint: authorize }),
    ...(device === null ? {} : { device_authorization_endpoint: device }),
    ...(token === null ? {} : { token_endpoint: token }),
  };
  const metadata =
    issuer === null || token !== null
      ? { issuer: issuer ?? new URL(token ?? '').origin, ...given }
      : { ...(await discover(issuer)), ...given };
  return {
    metadata,
    client: { client_id: clientId },
    authentication: clientSecret === null ? oauth.None() : oauth.ClientSecretPost(clientSecret),
  };
}

async function discover(issuer: string): Promise<oauth.AuthorizationServer> {
  const url = new URL(issuer);
  return inWords(url.host, async () => {
    const response = await oauth.discoveryRequest(url, httpOptions(issuer));
    return oauth.processDiscoveryResponse(url, response);
  });
}

interface HttpOptions {
  readonly signal: AbortSignal;
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- marked so to stand out
  readonly [oauth.allowInsecureRequests]: boolean;
}

/** Options for a request to an address: TLS but for this machine, and a time limit. */
export function httpOptions(address: string | undefined): HttpOptions {
  const isInClear = address !== undefined && isLoopback(new URL(address));
  return {
    signal: AbortSignal.timeout(timeoutMs),
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- marked so to stand out
    [oauth.allowInsecureRequests]: isInClear,
  };
}

export function tokensFrom(response: oauth.TokenEndpointResponse): Tokens {
  const { access_token: accessToken, expires_in: lifetime, refresh_token: refreshToken } = response;
  const grantSeconds = response['refresh_token_expires_in'];
  return {
    ...{ accessToken, lifetimeSeconds: lifetime ?? null, refreshToken: refreshToken ?? null },
    // No standard has it; Google and others say it.
    grantSeconds: typeof grantSeconds === 'number' && grantSeconds > 0 ? grantSeconds : null,
  };
}

/** The error that a server answered with, such as `authorization_pending`; null for any other. */
export function errorCodeOf(error: unknown): string | null {
  return error instanceof oauth.ResponseBodyError ||
    error instanceof oauth.AuthorizationResponseError
    ? error.error
    : null;
}

/**
 * Makes the errors of a conversation ones for people. No text of theirs holds a token.
 *
 * @throws GrantEnded, ConfigurationError, TemporaryError
 */
export async function inWords<T>(server: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ConfigurationError || error instanceof TemporaryError) throw error;
    throw failureOf(server, error);
  }
}

const temporary = new Set(['temporarily_unavailable', 'server_error', 'slow_down']);

function failureOf(server: string, error: unknown): Error {
  const code = errorCodeOf(error);
  const status = error instanceof oauth.ResponseBodyError ? error.status : statusOf(error);
  if (code !== null) {
    const { error_description: description } = error as { error_description?: string };
    const said = description === undefined ? code : `${code}: ${printable(description)}`;
    if (code === 'invalid_grant') return new GrantEnded(said);
    const isTemporary = temporary.has(code) || status === 429 || (status ?? 0) >= 500;
    const message = `${server} refuses: ${said}`;
    return isTemporary ? new TemporaryError(message) : new ConfigurationError(message);
  }
  if (status !== null) return new TemporaryError(`${server} answers with HTTP status ${status}`);
  if (error instanceof Error && error.name === 'TimeoutError') {
    return new TemporaryError(`${server} does not answer`);
  }
  const cause = error instanceof Error ? (error.cause as Error | undefined) : undefined;
  const reason = cause instanceof Error ? cause.message : (error as Error).message;
  return new TemporaryError(`cannot speak to ${server}: ${printable(reason)}`);
}

/** oauth4webapi hands on the response that it could not use. */
function statusOf(error: unknown): number | null {
  const cause = error instanceof Error ? error.cause : undefined;
  const response = cause instanceof Response ? cause : null;
  return response === null || response.ok ? null : response.status;
}

function printable(text: string): string {
  const plain = text.replace(/[^ -~]+/g, ' ').trim();
  return plain.length > 300 ? `${plain.slice(0, 300)}...` : plain;
}
