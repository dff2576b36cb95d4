// One session of this process that is sent octets and then the end of input, as fast as a process can do that: no sockets,
// no timers of the test's own.

import { Duplex } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { unlimited } from '../../src/auth/accounts/grant.js';
import type { Authenticator } from '../../src/auth/accounts/authenticator.js';
import { defaultLimits, type SessionLimits } from '../../src/pop3-server/commands/service.js';
import { ownProcessStarter } from '../../src/pop3-server/session/starter.js';
import { runSession } from '../../src/pop3-server/session/session.js';
import type { Connection } from '../../src/system/descriptors/connection.js';
import type { ServerTls } from '../../src/system/tls/tls-server.js';
import { MemoryMaildrop } from '../support/mail/memory-maildrop.js';
import type { Account } from './arbitrary-input.js';

export interface SessionScript {
  /** What the peer sends, in the pieces in which it arrives. */
  readonly pieces: readonly Buffer[];
  /** Whether the session gets a turn of the event loop between two pieces. */
  readonly isSlow: boolean;
  readonly messages: readonly Buffer[];
  readonly account: Account;
  readonly limits: Partial<SessionLimits>;
}

export interface SessionTrace {
  /** All that the session sent, latin1. */
  readonly sent: string;
  /** What is left in the maildrop. */
  readonly contents: readonly string[];
  /** What the session logged as a fault of its own. */
  readonly faults: readonly string[];
  readonly logoutCount: number;
}

/** The session's end of the connection. */
class ScriptedConnection extends Duplex {
  readonly #sent: Buffer[] = [];

  constructor() {
    super({ allowHalfOpen: true, highWaterMark: 1_048_576 });
  }

  get sent(): string {
    return Buffer.concat(this.#sent).toString('latin1');
  }

  setTimeout(): void {
    // Nobody stalls here.
  }

  override _read(): void {
    // Pieces are pushed from outside.
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#sent.push(chunk);
    done();
  }
}

/** Runs it to its end. A session that never ends is for the caller to notice. */
export async function runScript(script: SessionScript): Promise<SessionTrace> {
  const connection = new ScriptedConnection();
  const session = startSession(connection, script, null);
  for (const piece of script.pieces) {
    if (connection.destroyed) break;
    connection.push(piece);
    if (script.isSlow) await nextTurn();
  }
  if (!connection.destroyed) connection.push(null);
  await session.ended;
  return { sent: connection.sent, ...session.trace() };
}

export interface StartedSession {
  readonly ended: Promise<unknown>;
  /** What is known once it has ended. */
  readonly trace: () => Omit<SessionTrace, 'sent'>;
}

/** Starts a session on any connection. @param tls what STLS begins, or null */
export function startSession(
  connection: Connection,
  script: SessionScript,
  tls: ServerTls | null,
): StartedSession {
  const maildrop = new MemoryMaildrop(script.messages);
  const faults: string[] = [];
  let logoutCount = 0;
  const authenticator = authenticatorOf(script.account);
  const ended = runSession(
    connection,
    {
      security: { tls, isImplicit: false, allowsCleartext: true },
      limits: { ...defaultLimits, failureDelayMs: 0, ...script.limits },
      logsMessages: false,
      log: {
        write: (event, fields) => {
          if (event === 'error' || event === 'tls-failed') faults.push(JSON.stringify(fields));
          if (event === 'logout') logoutCount += 1;
        },
        flush: () => Promise.resolve(),
      },
      authenticator: () => Promise.resolve(authenticator),
      openMaildrop: () => Promise.resolve(maildrop),
    },
    {
      id: 'fuzz',
      peer: undefined,
      accessLevel: undefined,
      isGreeted: false,
      apopTimestamp: null,
      starter: ownProcessStarter(),
    },
  );
  return { ended, trace: () => ({ contents: maildrop.contents(), faults, logoutCount }) };
}

function authenticatorOf({ address, password }: Account): Authenticator {
  return {
    verifyPassword: (name, given) => {
      const isRight = name.toString('latin1') === address && given.toString('latin1') === password;
      return Promise.resolve(
        isRight
          ? {
              verdict: 'accepted',
              identity: { user: 'ann', domain: 'example.org' },
              grant: unlimited,
            }
          : { verdict: 'rejected', reason: 'wrong' },
      );
    },
    lookUpScram: () =>
      Promise.resolve({ found: 'unavailable', isLasting: true, reason: 'no SCRAM keys' }),
    lookUpPlain: () => Promise.resolve({ found: 'nothing', reason: 'no APOP' }),
    offersScram: () => Promise.resolve(true),
    leastDays: () => Promise.resolve(null),
    close: () => undefined,
  };
}
