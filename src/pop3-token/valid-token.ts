// A valid access token out of a grant: the one that is there, or a new one. RFC 6749 §6.

import * as oauth from 'oauth4webapi';
import { ConfigurationError, TemporaryError } from '../system/failures/failures.js';
import {
  GrantEnded,
  httpOptions,
  inWords,
  openAuthorizationServer,
  tokensFrom,
} from './authorization-server.js';
import type { Grant, GrantStore } from './grant.js';
import { endOf, validity } from './log-in.js';

/** A token goes to a server, and through a queue there, while its time runs. */
const marginMs = 300_000;
const dayMs = 86_400_000;
/** How long before its end a grant is warned of. */
const warningMs = 7 * dayMs;

export interface TokenRequest {
  readonly store: GrantStore;
  readonly name: string;
  /** Whether a server has just refused the token that is there. */
  readonly isRefused: boolean;
  readonly warn: (text: string) => void;
}

/**
 * @throws ConfigurationError when there is no grant, or it has ended: with where to consent again;
 *   TemporaryError
 */
export async function findValidToken(request: TokenRequest): Promise<string> {
  const { store, name, isRefused, warn } = request;
  const found = store.tryRead(name);
  if (found === null) {
    throw new ConfigurationError(
      `there is no grant called ${name}: pop3token login ${name} --provider microsoft|google|FILE`,
    );
  }
  warnOfEnd(name, found, warn);
  if (!isRefused && isFresh(found)) return found.accessToken;
  const lock = await store.lock(name);
  try {
    const grant = store.tryRead(name) ?? found;
    // Somebody else's refresh may have been waited for.
    const isNew = grant.accessToken !== found.accessToken;
    if (isFresh(grant) && (!isRefused || isNew)) return grant.accessToken;
    return await refresh(request, grant);
  } finally {
    lock.release();
  }
}

function isFresh({ expiresAt, lifetimeMs }: Grant): boolean {
  return expiresAt - Date.now() > Math.min(marginMs, lifetimeMs / 4);
}

async function refresh(
  { store, name, isRefused, warn }: TokenRequest,
  grant: Grant,
): Promise<string> {
  const { refreshToken, consentAddress, provider } = grant;
  const again = `consent again at ${consentAddress}: pop3token login ${name}`;
  if (refreshToken === null) {
    throw new ConfigurationError(
      `the grant of ${name} cannot be renewed (no refresh token); ${again}`,
    );
  }
  // The old refresh token may be gone with the answer: whether there is room for the new one is
  // found out before.
  await store.write(name, grant);
  try {
    const { metadata, client, authentication } = await openAuthorizationServer(provider);
    const tokens = await inWords(
      new URL(metadata.token_endpoint ?? metadata.issuer).host,
      async () => {
        const response = await oauth.refreshTokenGrantRequest(
          ...([metadata, client, authentication, refreshToken] as const),
          httpOptions(metadata.token_endpoint),
        );
        return tokensFrom(await oauth.processRefreshTokenResponse(metadata, client, response));
      },
    );
    const now = Date.now();
    const renewed: Grant = {
      ...{ ...grant, ...validity(tokens, now) },
      refreshToken: tokens.refreshToken ?? refreshToken,
      endsAt: endOf(tokens, now) ?? grant.endsAt,
    };
    await store.write(name, renewed);
    return renewed.accessToken;
  } catch (error) {
    if (error instanceof GrantEnded) {
      throw new ConfigurationError(`the grant of ${name} has ended (${error.message}); ${again}`);
    }
    if (!(error instanceof TemporaryError) || isRefused || grant.expiresAt <= Date.now())
      throw error;
    warn(`${error.message}; the token that is there goes on for a while`);
    return grant.accessToken;
  }
}

/** A short grant is warned of in the last third of its time, a long one a week before. */
function warnOfEnd(name: string, grant: Grant, warn: (text: string) => void): void {
  const { endsAt, grantedAt, consentAddress } = grant;
  if (endsAt === null) return;
  const leftMs = endsAt - Date.now();
  if (leftMs <= 0 || leftMs > Math.min(warningMs, (endsAt - grantedAt) / 3)) return;
  const days = Math.ceil(leftMs / dayMs);
  warn(
    `the grant of ${name} ends in ${days} ${days === 1 ? 'day' : 'days'}, on ${new Date(endsAt).toISOString().slice(0, 10)}: ` +
      `consent again before, at ${consentAddress}: pop3token login ${name}`,
  );
}
