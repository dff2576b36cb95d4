// Consent on another device: a code to enter at an address, and waiting until that is done. RFC
// 8628.

import * as oauth from 'oauth4webapi';
import { setTimeout as delay } from 'node:timers/promises';
import { TemporaryError } from '../system/failures/failures.js';
import {
  errorCodeOf,
  httpOptions,
  inWords,
  tokensFrom,
  type AuthorizationServer,
  type Tokens,
} from './authorization-server.js';

export interface Consent {
  readonly tokens: Tokens;
  /** Where the user consented. */
  readonly address: string;
}

/** RFC 8628 §3.2 (interval) and §3.5 (slow_down). */
const defaultIntervalSeconds = 5;

/**
 * @param tell shows the user where to go
 * @throws ConfigurationError when the user refuses; TemporaryError when nobody consented in time
 */
export async function consentOnDevice(
  { metadata, client, authentication }: AuthorizationServer,
  scope: string,
  tell: (text: string) => void,
): Promise<Consent> {
  const { device_authorization_endpoint: endpoint, token_endpoint: tokenEndpoint } = metadata;
  const server = new URL(endpoint ?? metadata.issuer).host;
  const device = await inWords(server, async () =>
    oauth.processDeviceAuthorizationResponse(
      metadata,
      client,
      await oauth.deviceAuthorizationRequest(
        ...([metadata, client, authentication, { scope }] as const),
        httpOptions(endpoint),
      ),
    ),
  );
  tell(`Open ${device.verification_uri} and enter the code ${device.user_code}\n`);
  if (device.verification_uri_complete !== undefined) {
    tell(`or open ${device.verification_uri_complete}\n`);
  }
  let intervalMs = (device.interval ?? defaultIntervalSeconds) * 1000;
  const deadline = performance.now() + device.expires_in * 1000;
  while (performance.now() < deadline) {
    await delay(intervalMs);
    try {
      const response = await oauth.deviceCodeGrantRequest(
        ...([metadata, client, authentication, device.device_code] as const),
        httpOptions(tokenEndpoint),
      );
      const tokens = tokensFrom(await oauth.processDeviceCodeResponse(metadata, client, response));
      return { tokens, address: device.verification_uri };
    } catch (error) {
      const code = errorCodeOf(error);
      if (code === 'slow_down') intervalMs += 5000;
      else if (code === 'expired_token') break;
      // A network that fails for a moment must not cost the consent that is being given.
      else if (code !== 'authorization_pending' && code !== null) {
        await inWords(server, () => Promise.reject(error as Error));
      }
    }
  }
  throw new TemporaryError('nobody consented in time: log in again');
}
