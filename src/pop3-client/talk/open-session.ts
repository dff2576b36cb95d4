// From a list of targets to a session in TRANSACTION: connect, protect, greet, log in. A target
// that fails before the login makes room for the next.

import type { Duplex } from 'node:stream';
import ipaddr from 'ipaddr.js';
import { formatCommandLine } from '../../wire/command-line.js';
import { Pop3Client, type Capabilities } from './client.js';
import type { Experience } from './experience.js';
import { connectToAny, placeOf, type Connected, type Endpoint } from '../find/connect.js';
import {
  ConnectionClosed,
  FellSilent,
  InsecureServer,
  LostAhead,
  LostStep,
  quoteServerText,
  Refused,
  TooEarly,
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
  readonly experience: Experience;
  readonly signal: AbortSignal;
}

interface Greeted extends Offer {
  readonly client: Pop3Client;
}

const silentPort =
  'the server fell silent before its greeting; a port for TLS from the first octet (pop3s) is silent too: see --tls implicit';

/** The server closes the connection at a command that it can do without: it is asked again so. */
class ClosedAt extends ConnectionClosed {
  readonly command: Dispensable;

  constructor(command: Dispensable, message: string) {
    super(message);
    this.command = command;
  }
}

type Dispensable = 'CAPA' | 'UTF8';

/** What a server at one place is spared. */
type Spared = Dispensable | 'PIPELINING';

/**
 * @throws ConfigurationError for what will not mend itself, else TemporaryError; what `tlsMemory`
 *   throws; the reason of `signal`
 */
export async function openSession(options: OpenOptions): Promise<OpenSession> {
  const { settings, signal } = options;
  const login = beginLogin(settings, options.experience, signal);
  const excluded: Endpoint[] = [];
  const without = new Set<string>();
  let firstFailure: unknown = null;
  for (;;) {
    let connected;
    try {
      connected = await connectToAny(options.targets, {
        nameServer: options.nameServer,
        proxy: settings.proxy,
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
      greeted = await greet(connected, options, without);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof ClosedAt && !without.has(skipped(error.command, connected))) {
        without.add(skipped(error.command, connected));
        if (error.command === 'UTF8') {
          // So it was not what went with it.
          without.delete(skipped('PIPELINING', connected));
          await options.experience.addUtf8Failure();
        }
        continue;
      }
      if (!(error instanceof TemporaryError || error instanceof InsecureServer)) throw error;
      firstFailure ??= withServer(error, connected);
      excluded.push(connected);
      continue;
    }
    const { client, isProtected, capabilities } = greeted;
    try {
      const accepted = await login.tryOn(client, greeted);
      if (accepted !== null) {
        const { name: method, key, isBest } = accepted;
        await options.experience.addLogin(greeted, key, isBest);
        if (without.has(skipped('PIPELINING', connected))) {
          await options.experience.addPipeliningFailure();
        }
        options.experience.noteLoginDelay(capabilities);
        return { client, endpoint: connected, isProtected, capabilities, method };
      }
      client.destroy();
    } catch (error) {
      client.destroy();
      signal.throwIfAborted();
      if (error instanceof LostAhead) {
        // Some servers announce PIPELINING, and drop what comes ahead or close the connection.
        without.add(skipped('PIPELINING', connected));
        continue;
      }
      if (!(error instanceof TooEarly)) throw withServer(error, connected);
      await options.experience.addTooEarly(capabilities);
      // When a server never says what is too early, somebody must find out.
      const isAnnounced = capabilities.has('LOGIN-DELAY');
      throw withServer(isAnnounced ? error : new TemporaryError(error.message), connected);
    }
  }
}

function beginLogin(
  { secret, user, auth: mode }: Settings,
  experience: Experience,
  signal: AbortSignal,
): LoginAttempts {
  const preferred = (offer: Offer): string | null => experience.preferredLogin(offer);
  return secret.kind === 'token'
    ? new TokenLogin({ user, source: secret.source, mode, signal, preferred })
    : new PasswordLogin({ user, password: secret.password }, mode, preferred);
}

async function greet(
  connected: Connected,
  options: OpenOptions,
  without: ReadonlySet<string>,
): Promise<Greeted> {
  const { tlsMemory, experience, signal } = options;
  const { trust, timeoutMs, proxy } = options.settings;
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
  const isSpared = (what: Spared): boolean => without.has(skipped(what, connected));
  const readCapabilities = async (): Promise<Capabilities> => {
    if (isSpared('CAPA')) return new Map();
    return orClosedAt('CAPA', client.readCapabilities());
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
    if (capabilities.has('UTF8') && experience.mayUseUtf8 && !isSpared('UTF8')) {
      // RFC 6856 §2: before the login, or not at all. Without it mail with UTF-8 in its header may
      // be replaced by a notice. A refusal changes nothing.
      const mayGoAhead = capabilities.has('PIPELINING') && experience.mayPipeline;
      if (mayGoAhead && !isSpared('PIPELINING')) client.sendWithNext(formatCommandLine('UTF8'));
      else await orClosedAt('UTF8', client.exchange('UTF8'));
    }
    const peer = {
      ...{ host: target.host.replace(/\.$/, ''), port: target.port },
      // A proxy's loopback may be another machine's.
      isLoopback: proxy === null && ipaddr.process(connected.address).range() === 'loopback',
    };
    return { client, isProtected, capabilities, timestamp: findTimestamp(greeting.text), peer };
  } catch (error) {
    client.destroy();
    throw error;
  }
}

async function orClosedAt<T>(command: Dispensable, reply: Promise<T>): Promise<T> {
  return reply.catch((error: unknown) => {
    throw error instanceof ConnectionClosed ? new ClosedAt(command, error.message) : error;
  });
}

function skipped(what: Spared, endpoint: Endpoint): string {
  return `${what} ${placeOf(endpoint)}`;
}

async function requestTls(client: Pop3Client, isOffered: boolean): Promise<void> {
  const response = await client.exchange('STLS');
  if (response.isOk) return;
  throw new InsecureServer(
    (isOffered ? 'the server offers STLS and refuses it: ' : 'the server has no TLS: ') +
      `${quoteServerText(response.text)} (nothing was sent in clear; --tls off would)`,
  );
}

/** Names the server in an error, keeping its kind. */
function withServer(error: unknown, endpoint: Endpoint): unknown {
  if (!(error instanceof ConfigurationError || error instanceof TemporaryError)) return error;
  const message = `${placeOf(endpoint)}: ${error.message}`;
  if (error instanceof TooEarly) return new TooEarly(message);
  return error instanceof ConfigurationError ? new Refused(message) : new TemporaryError(message);
}
