// A user's consent, by whichever flow the provider has, made a grant.

import { ConfigurationError } from '../system/failures/failures.js';
import { openAuthorizationServer, type Tokens } from './authorization-server.js';
import { consentOnDevice, type Consent } from './device-flow.js';
import type { Grant } from './grant.js';
import type { Provider } from './provider.js';
import { consentByRedirect } from './redirect-flow.js';

export interface LoginRequest {
  readonly provider: Provider;
  readonly user: string | null;
  readonly flow: 'auto' | 'device' | 'redirect';
  /** Shows the user where to go. */
  readonly tell: (text: string) => void;
}

const dayMs = 86_400_000;
/** For servers that do not say: RFC 6749 §5.1 only recommends it. */
const usualLifetimeSeconds = 3600;

/** @throws ConfigurationError, TemporaryError */
export async function logIn(request: LoginRequest): Promise<Grant> {
  const { provider, user, flow, tell } = request;
  const { scope } = provider;
  if (scope === null) {
    throw new ConfigurationError(`${provider.name} names no scope: give --scope`);
  }
  const server = await openAuthorizationServer(provider);
  const hasDeviceFlow = server.metadata.device_authorization_endpoint !== undefined;
  if (flow === 'device' && !hasDeviceFlow) {
    throw new ConfigurationError(`${provider.name} has no device flow: try --flow redirect`);
  }
  const consent: Consent =
    hasDeviceFlow && flow !== 'redirect'
      ? await consentOnDevice(server, scope, tell)
      : await consentByRedirect(server, provider, { scope, user }, tell);
  const { token_endpoint: token = null, issuer } = server.metadata;
  const grantedAt = Date.now();
  const { tokens, address } = consent;
  const { grantDays } = provider;
  return {
    ...{ version: 1, user, consentAddress: address, grantedAt },
    // What was looked up is not looked up again for each refresh.
    provider: { ...provider, token, issuer },
    ...validity(tokens, grantedAt),
    refreshToken: tokens.refreshToken,
    endsAt: endOf(tokens, grantedAt) ?? (grantDays === null ? null : grantedAt + grantDays * dayMs),
  };
}

/** When an access token that came now ends. */
export function validity(
  { accessToken, lifetimeSeconds }: Tokens,
  now: number,
): Pick<Grant, 'accessToken' | 'expiresAt' | 'lifetimeMs'> {
  const lifetimeMs = (lifetimeSeconds ?? usualLifetimeSeconds) * 1000;
  return { accessToken, expiresAt: now + lifetimeMs, lifetimeMs };
}

/** When a grant ends by what the server said; null where it did not say. */
export function endOf({ grantSeconds }: Tokens, now: number): number | null {
  return grantSeconds === null ? null : now + grantSeconds * 1000;
}
