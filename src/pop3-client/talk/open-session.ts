// From a list of targets to a session in TRANSACTION: connect, protect, greet, log in. A target
// that fails before the login makes room for the next.

import type { Duplex } from 'node:stream';
import ipaddr from 'ipaddr.js';
import { Pop3Client, type Capabilities } from './client.js';
import { connectToAny, type Connected, type Endpoint } from '../find/connect.js';
import {
  ConnectionClosed,
  FellSilent,
  InsecureServer,
  LostStep,
  quoteServerText,
  Refused,
} from '../settings/failures.js';
import type { Target } from '../find/locate.js';
import { findTimestamp, type LoginAttempts, type Offer } from './login-methods.js';
import { PasswordLogin } from './password-login.js';
import { TokenLogin } from './token-login.js';
import type { NameServer } from '../find/name-server.js';
import type { Settings } from '../settings/settings.js';
import type { TlsMemory } from '../find/tls-memory.js';
import { startTls } from '../find/tls.js';
import { ConfigurationError, TemporaryError } from '../../system/failures/failures.js';

export interface OpenSession {
  readonly client: Pop3Client;
  readonly endpoint: Endpoint;
  readonly isProtected: boolean;
  /** As announced before the login. */
  readonly capabilities: Capabilities;
  /** The login method that the server accepted. */
  readonly method: string;
}

export interface OpenOptions {
  readonly settings: Settings;
  readonly nameServer: NameServer;
  readonly targets: readonly Target[];
  /**
   * Once TLS was seen at one address, none is spoken to in clear, unless `--tls off` asks for it.
   */
  readonly tlsMemory: TlsMemory;
  readonly signal: AbortSignal;
}

interface Greeted extends Offer {
  readonly client: Pop3Client;
}

const silentPort =
  'the server fell silent before its greeting; a port for TLS from the first octet (pop3s) is silent too: see --tls implicit';

/** The server closes the connection at CAPA: it is asked again without. */
class ClosedAtCapa extends ConnectionClosed {}

/**
 * @throws ConfigurationError for what will not mend itself, else TemporaryError; what `tlsMemory`
 *   throws; the reason of `signal`
 */
export async function openSession(options: OpenOptions): Promise<OpenSession> {
  const { settings, signal } = options;
  const login = beginLogin(settings, signal);
  const excluded: Endpoint[] = [];
  const withoutCapa = new Set<string>();
  let firstFailure: unknown = null;
  for (;;) {
    let connected;
    try {
      connected = await connectToAny(options.targets, {
        nameServer: options.nameServer,
        localAddress: settings.localAddress,
        localPort: settings.localPort,
        timeoutMs: settings.timeoutMs,
        signal,
        excluded,
      });
    } catch (error) {
      signal.throwIfAborted();
      throw firstFailure ?? error;
    }
    let greeted;
    try {
      greeted = await greet(connected, options, withoutCapa);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof ClosedAtCapa && !withoutCapa.has(placeOf(connected))) {
        withoutCapa.add(placeOf(connected));
        continue;
      }
      if (!(error instanceof TemporaryError || error instanceof InsecureServer)) throw error;
      firstFailure ??= withServer(error, connected);
      excluded.push(connected);
      continue;
    }
    const { client, isProtected, capabilities } = greeted;
    try {
      const method = await login.tryOn(client, greeted);
      if (method !== null)
        return { client, endpoint: connected, isProtected, capabilities, method };
      client.destroy();
    } catch (error) {
      client.destroy();
      signal.throwIfAborted();
      throw withServer(error, connected);
    }
  }
}

function beginLogin({ secret, user, auth: mode }: Settings, signal: AbortSignal): LoginAttempts {
  return secret.kind === 'token'
    ? new TokenLogin({ user, source: secret.source, mode, signal })
    : new PasswordLogin({ user, password: secret.password }, mode);
}

async function greet(
  connected: Connected,
  options: OpenOptions,
  withoutCapa: ReadonlySet<string>,
): Promise<Greeted> {
  const { tlsMemory, signal } = options;
  const { trust, timeoutMs } = options.settings;
  const { target, socket } = connected;
  const protect = async (plain: Duplex): Promise<Duplex> => {
    const stream = await startTls(plain, target, trust, { timeoutMs, signal });
    try {
      // Now, not after the login: a refused one must not make it forgotten.
      await tlsMemory.addHandshake();
    } catch (error) {
      stream.destroy();
      throw error;
    }
    return stream;
  };
  const readCapabilities = async (): Promise<Capabilities> => {
    if (withoutCapa.has(placeOf(connected))) return new Map();
    return client.readCapabilities().catch((error: unknown) => {
      throw error instanceof ConnectionClosed ? new ClosedAtCapa(error.message) : error;
    });
  };
  let isProtected = target.tls === 'implicit';
  const stream = isProtected ? await protect(socket) : socket;
  const client = new Pop3Client(stream, timeoutMs, signal);
  try {
    const greeting = await client.replies.readResponse().catch((error: unknown) => {
      throw isProtected || !(error instanceof FellSilent) ? error : new FellSilent(silentPort);
    });
    if (!greeting.isOk) {
      throw new TemporaryError(
        `the server refuses the connection: ${quoteServerText(greeting.text)}`,
      );
    }
    if (client.replies.takeSurplus()) {
      throw new LostStep('the server sent more than a greeting');
    }
    let capabilities = await readCapabilities();
    if (target.tls === 'required-stls' || target.tls === 'stls-if-offered') {
      if (capabilities.has('STLS')) tlsMemory.addOffer();
      if (target.tls === 'required-stls' || tlsMemory.isSeen) {
        await requestTls(client, capabilities.has('STLS'));
        await client.upgrade(protect);
        isProtected = true;
        // What was said in clear may be forged. RFC 2595 §4.
        capabilities = await readCapabilities();
      }
    }
    const peer = {
      ...{ host: target.host.replace(/\.$/, ''), port: target.port },
      isLoopback: ipaddr.process(connected.address).range() === 'loopback',
    };
    return { client, isProtected, capabilities, timestamp: findTimestamp(greeting.text), peer };
  } catch (error) {
    client.destroy();
    throw error;
  }
}

async function requestTls(client: Pop3Client, isOffered: boolean): Promise<void> {
  const response = await client.exchange('STLS');
  if (response.isOk) return;
  throw new InsecureServer(
    (isOffered ? 'the server offers STLS and refuses it: ' : 'the server has no TLS: ') +
      `${quoteServerText(response.text)} (nothing was sent in clear; --tls off would)`,
  );
}

function placeOf({ target, address }: Endpoint): string {
  const where = target.host === address ? address : `${target.host} [${address}]`;
  return `${where} port ${target.port}`;
}

/** Names the server in an error, keeping its kind. */
function withServer(error: unknown, endpoint: Endpoint): unknown {
  if (!(error instanceof ConfigurationError || error instanceof TemporaryError)) return error;
  const message = `${placeOf(endpoint)}: ${error.message}`;
  return error instanceof ConfigurationError ? new Refused(message) : new TemporaryError(message);
}
