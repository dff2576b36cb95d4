// Consent in a browser on this machine, which is sent back to a port of ours. RFC 8252 §7.3, RFC
// 7636 (PKCE), RFC 9207 (iss).

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as oauth from 'oauth4webapi';
import { ConfigurationError, TemporaryError } from '../system/failures/failures.js';
import {
  httpOptions,
  inWords,
  tokensFrom,
  type AuthorizationServer,
} from './authorization-server.js';
import type { Consent } from './device-flow.js';
import type { Provider } from './provider.js';

const patienceMs = 15 * 60_000;

/** As `consentOnDevice`. @param user to be signed in, if the server heeds that */
export async function consentByRedirect(
  { metadata, client, authentication }: AuthorizationServer,
  provider: Provider,
  request: { readonly scope: string; readonly user: string | null },
  tell: (text: string) => void,
): Promise<Consent> {
  const { authorization_endpoint: endpoint } = metadata;
  if (endpoint === undefined) {
    throw new ConfigurationError(
      `${provider.name} has no page to consent at: authorize is missing`,
    );
  }
  const server = createServer();
  const port = await listen(server, new URL(provider.redirect));
  try {
    const redirect = new URL(provider.redirect);
    redirect.port = String(port);
    const verifier = oauth.generateRandomCodeVerifier();
    const state = oauth.generateRandomState();
    const page = new URL(endpoint);
    const parameters = {
      ...{ response_type: 'code', client_id: client.client_id, redirect_uri: redirect.href },
      ...{ scope: request.scope, state, code_challenge_method: 'S256' },
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      ...(request.user === null ? {} : { login_hint: request.user }),
      ...provider.parameters,
    };
    for (const [name, value] of Object.entries(parameters)) page.searchParams.set(name, value);
    tell(`Open this address in a browser on this machine:\n${page.href}\n`);
    const answer = await waitForAnswer(server, redirect, state);
    const tokens = await inWords(page.host, async () => {
      const callback = oauth.validateAuthResponse(metadata, client, answer, state);
      const response = await oauth.authorizationCodeGrantRequest(
        ...([metadata, client, authentication, callback, redirect.href, verifier] as const),
        httpOptions(metadata.token_endpoint),
      );
      return tokensFrom(await oauth.processAuthorizationCodeResponse(metadata, client, response));
    });
    return { tokens, address: `${page.origin}${page.pathname}` };
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** @returns the port: that of the address, else a free one */
async function listen(server: Server, { hostname, port }: URL): Promise<number> {
  const host = hostname.replace(/^\[|\]$/g, '');
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      reject(new TemporaryError(`cannot wait for the browser: ${error.message}`));
    });
    server.listen(port === '' ? 0 : Number(port), host, () => {
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/** What the browser brings: the one request with our state. Others are not ours. */
async function waitForAnswer(server: Server, redirect: URL, state: string): Promise<URL> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new TemporaryError('no browser came back in time: log in again'));
    }, patienceMs);
    server.on('request', (request, response) => {
      const url = new URL(request.url ?? '/', redirect);
      if (url.searchParams.get('state') !== state) {
        response.writeHead(404).end('Nothing here.\n');
        return;
      }
      clearTimeout(timer);
      const text = url.searchParams.has('error') ? 'Consent was not given.' : 'Done.';
      response.writeHead(200, { 'content-type': 'text/plain', connection: 'close' });
      response.end(`${text} You can close this page.\n`, () => resolve(url));
    });
  });
}
