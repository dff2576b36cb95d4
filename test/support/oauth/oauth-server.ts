// An OAuth 2 server (the npm package oidc-provider) on a free port of 127.0.0.1: device flow, redirects with PKCE,
// refresh tokens, introspection.

import type { AddressInfo } from 'node:net';
import { createServer as createHttpServer } from 'node:http';
import type { Teardown } from '../programs/run-program.js';

export interface OAuthServer {
  readonly issuer: string;
  readonly port: number;
  /** What Dovecot's introspection_url must be. */
  readonly introspectionUrl: string;
  /** How often each endpoint was asked, by its path. */
  readonly requests: Map<string, number>;
  /** Seconds that access tokens given from now on are valid. */
  accessTokenSeconds: number;
  /** Path by path, how the next requests are answered instead; each once. */
  readonly answers: Map<string, { readonly status: number; readonly body: string }[]>;
  /** Ends an access token before its time. */
  expire(accessToken: string): Promise<void>;
  /** Ends a grant: its refresh token is refused from then on. */
  revoke(token: string): Promise<void>;
}

/** A public client that may use every flow. */
export const clientId = 'mail-client';
export const scope = 'openid offline_access pop3';

export async function startOAuthServer(t: Teardown): Promise<OAuthServer> {
  const server = createHttpServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  const issuer = `http://127.0.0.1:${port}`;
  const oauth: OAuthServer = {
    ...{ issuer, port, accessTokenSeconds: 3600, requests: new Map(), answers: new Map() },
    introspectionUrl: `http://dovecot:introspect@127.0.0.1:${port}/token/introspection`,
    expire: () => Promise.resolve(),
    revoke: async (token) => {
      const body = new URLSearchParams({ token, client_id: clientId });
      await fetch(`${issuer}/token/revocation`, { method: 'POST', body });
    },
  };
  const provider = await quietly(async () => {
    const { Provider } = await import('oidc-provider');
    return new Provider(issuer, configuration(oauth));
  });
  oauth.expire = async (accessToken) => {
    const token = await provider.AccessToken.find(accessToken);
    await token?.destroy();
  };
  const handle = provider.callback();
  server.on('request', (request, response) => {
    const path = (request.url ?? '').replace(/\?.*/, '');
    oauth.requests.set(path, (oauth.requests.get(path) ?? 0) + 1);
    const answer = oauth.answers.get(path)?.shift();
    if (answer === undefined) handle(request, response);
    else response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body);
  });
  return oauth;
}

function configuration(oauth: OAuthServer): Record<string, unknown> {
  return {
    clients: [
      {
        client_id: clientId,
        token_endpoint_auth_method: 'none',
        application_type: 'native',
        grant_types: [
          'authorization_code',
          'refresh_token',
          'urn:ietf:params:oauth:grant-type:device_code',
        ],
        redirect_uris: ['http://127.0.0.1/'],
        response_types: ['code'],
      },
      {
        client_id: 'dovecot',
        client_secret: 'introspect',
        ...{ grant_types: [], response_types: [], redirect_uris: [] },
      },
    ],
    features: {
      deviceFlow: { enabled: true },
      introspection: { enabled: true, allowedPolicy: () => true },
      revocation: { enabled: true },
    },
    scopes: ['openid', 'offline_access', 'pop3'],
    issueRefreshToken: () => true,
    rotateRefreshToken: true,
    cookies: { keys: ['a key'] },
    findAccount: (_context: unknown, sub: string) => ({
      accountId: sub,
      claims: () => ({ sub }),
    }),
    ttl: {
      AccessToken: () => oauth.accessTokenSeconds,
      ...{
        DeviceCode: 600,
        Grant: 86_400,
        IdToken: 600,
        Interaction: 600,
        RefreshToken: 86_400,
        Session: 600,
      },
    },
  };
}

/** The package prints advice for those who serve the public with it. */
async function quietly<T>(work: () => Promise<T>): Promise<T> {
  const { info, warn } = console;
  console.info = console.warn = (): void => undefined;
  try {
    return await work();
  } finally {
    Object.assign(console, { info, warn });
  }
}
