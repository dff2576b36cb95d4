// A conversation with a session in this process, over a memory maildrop, that reads like the examples of RFC 1939.

import type { Test } from 'tap';
import type { Authenticator, Verdict } from '../../../src/auth/accounts/authenticator.js';
import {
  defaultLimits,
  type Service,
  type SessionLimits,
} from '../../../src/pop3-server/commands/service.js';
import { runSession } from '../../../src/pop3-server/session/session.js';
import {
  ownProcessStarter,
  type OwnProcessStarter,
  type Starter,
} from '../../../src/pop3-server/session/starter.js';
import type { LogFields } from '../../../src/system/log/log-line.js';
import { deadline } from '../suite/deadline.js';
import { makeDuplexPair, type PairEnd } from './duplex-pair.js';
import { MemoryMaildrop } from '../mail/memory-maildrop.js';
import { WireClient } from './wire-client.js';
import { unlimited } from '../../../src/auth/accounts/grant.js';

/** The one account of `conversation`. */
export const address = 'ann@example.org';
export const password = 'open sesame';

export interface ConversationOptions {
  readonly messages?: readonly (Buffer | string)[];
  /** Failed logins are answered at once unless they say otherwise. */
  readonly limits?: Partial<SessionLimits>;
  readonly logsMessages?: boolean;
  /** What was before, and who is told. */
  readonly starter?: OwnProcessStarter;
  /** Instead of the counts of one process. */
  readonly starts?: Partial<Starter>;
  /** Passwords by login name; `ann@example.org` with `open sesame` when absent. */
  readonly accounts?: Readonly<Record<string, string>>;
  /** What to say of every password instead of looking it up; may be slow. */
  readonly verdict?: () => Verdict | Promise<Verdict>;
  /** Decides instead of `accounts` and `verdict`; whoever made it closes it. */
  readonly authenticator?: Authenticator;
  /** Thrown at every attempt to open the maildrop. */
  readonly maildropFault?: Error;
  /** Octets that lie between the two ends before a writer must wait. */
  readonly highWaterMark?: number;
}

/** A reply: its status line, or its status line, lines and terminator. Status lines match by their beginning. */
export type Expected = string | readonly string[];

/** Starts a session; its greeting is read. The test's teardown ends it. */
export async function conversation(
  t: Test,
  options: ConversationOptions = {},
): Promise<Conversation> {
  const started = new Conversation(t, options);
  t.teardown(() => started.hangUp());
  await started.expect('greeting', '+OK');
  return started;
}

export class Conversation {
  readonly maildrop: MemoryMaildrop;
  readonly client: WireClient;
  /** The peer's end of the connection. */
  readonly connection: PairEnd;
  readonly log: { readonly event: string; readonly fields: LogFields }[] = [];
  /** Resolves when the session is over. */
  readonly ended: Promise<void>;
  /** Resolves when the session's end of the connection is closed, though the session may still be at work. */
  readonly connectionClosed: Promise<void>;
  /** Resolves when a password was verified for the first time. */
  readonly verified: Promise<void>;
  readonly #t: Test;
  #onVerified: () => void = () => undefined;
  #onLog: () => void = () => undefined;

  constructor(t: Test, options: ConversationOptions) {
    this.#t = t;
    this.verified = new Promise((resolve) => (this.#onVerified = resolve));
    this.maildrop = new MemoryMaildrop(options.messages ?? []);
    const [client, server] = makeDuplexPair(options.highWaterMark);
    // A reset is for the session to bear; this end has caused it.
    client.on('error', () => undefined);
    this.connection = client;
    this.connectionClosed = new Promise((resolve) => server.once('close', resolve));
    this.client = new WireClient(client, client);
    this.ended = runSession(server, this.#service(options), {
      id: 'test',
      peer: undefined,
      accessLevel: undefined,
      isGreeted: false,
      apopTimestamp: null,
      starter: { ...ownProcessStarter(options.starter), ...options.starts },
    });
  }

  /** USER and PASS, both accepted. */
  async login(): Promise<void> {
    await this.exchange(`USER ${address}`, '+OK');
    await this.exchange(`PASS ${password}`, '+OK');
  }

  /** Sends one command and compares the reply. */
  async exchange(command: string, expected: Expected): Promise<void> {
    this.send(`${command}\r\n`);
    await this.expect(command, expected);
  }

  /** Sends bytes as they are; text as latin1. */
  send(bytes: string | Buffer): void {
    this.client.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }

  /** Reads one reply and compares it. */
  async expect(command: string, expected: Expected): Promise<void> {
    const [status = '', ...lines] = typeof expected === 'string' ? [expected] : expected;
    const given = await this.client.status();
    const wanted = `${status} or ${status} and more words`;
    this.#t.ok(
      given === status || given.startsWith(`${status} `),
      `${command} is answered ${status}`,
      { found: given, wanted },
    );
    for (const line of lines) {
      this.#t.equal(await this.client.line(), line, `a line of the reply to ${command}`);
    }
  }

  /** QUIT, then the end of the session: nothing may come after its one reply. */
  async quit(expected = '+OK'): Promise<void> {
    await this.exchange('QUIT', expected);
    await this.expectClosed('QUIT');
  }

  /** The session closes the connection without another octet. */
  async expectClosed(after: string): Promise<void> {
    const rest = await this.client.rest();
    this.connection.end();
    this.#t.equal(rest.toString('latin1'), '', `nothing follows ${after}`);
    await this.over();
  }

  /** Waits for the end of the session. */
  async over(): Promise<void> {
    await deadline(this.ended, 20_000, () => 'the session goes on');
  }

  /** The peer reads what comes next, and then no more until `connection.resume()`. */
  stallAfterNextOctets(): void {
    this.connection.once('data', () => this.connection.pause());
  }

  /** The peer closes its side and reads no more. */
  async hangUp(): Promise<void> {
    this.connection.end();
    this.connection.resume();
    await this.over();
    this.connection.destroy();
  }

  /** The peer resets the connection. */
  async reset(): Promise<void> {
    this.connection.destroy();
    await this.over();
  }

  /** Waits for an event in the log. @returns its fields */
  async logged(event: string): Promise<LogFields> {
    const found = new Promise<LogFields>((resolve) => {
      this.#onLog = () => {
        const entry = this.log.find((candidate) => candidate.event === event);
        if (entry !== undefined) resolve(entry.fields);
      };
      this.#onLog();
    });
    return deadline(found, 20_000, () => `no "${event}" in ${JSON.stringify(this.log)}`);
  }

  #service(options: ConversationOptions): Service {
    const authenticator = options.authenticator ?? fakeAuthenticator(options, this.#onVerified);
    return {
      security: { tls: null, isImplicit: false, allowsCleartext: true },
      limits: { ...defaultLimits, failureDelayMs: 0, ...options.limits },
      logsMessages: options.logsMessages ?? false,
      log: {
        write: (event, fields = {}) => {
          const written = Object.entries(fields).filter(([, value]) => value !== undefined);
          this.log.push({ event, fields: Object.fromEntries(written) });
          this.#onLog();
        },
        flush: () => Promise.resolve(),
      },
      authenticator: () => Promise.resolve(authenticator),
      openMaildrop: () =>
        options.maildropFault === undefined
          ? Promise.resolve(this.maildrop)
          : Promise.reject(options.maildropFault),
    };
  }
}

function fakeAuthenticator(
  { verdict, accounts }: ConversationOptions,
  onVerified: () => void,
): Authenticator {
  const known = accounts ?? { [address]: password };
  return {
    verifyPassword: async (name, given) => {
      onVerified();
      if (verdict !== undefined) return verdict();
      const text = name.toString('latin1');
      if (known[text] !== given.toString('latin1')) {
        return { verdict: 'rejected', reason: text in known ? 'wrong password' : 'unknown user' };
      }
      const [user = '', domain = ''] = text.split('@');
      return { verdict: 'accepted', identity: { user, domain }, grant: unlimited };
    },
    lookUpScram: () =>
      Promise.resolve({ found: 'unavailable', isLasting: true, reason: 'not in this test' }),
    lookUpPlain: () => Promise.resolve({ found: 'nothing', reason: 'not in this test' }),
    offersScram: () => Promise.resolve(false),
    leastDays: () => Promise.resolve(null),
    close: () => undefined,
  };
}
