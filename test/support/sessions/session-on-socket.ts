// A session in this process on a real socket, with a real password database and Maildir: for what depends on TLS and on
// stored passwords. What a whole process adds is tested with the built pop3d.

import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { Test } from 'tap';
import { openAccounts } from '../../../src/auth/open-accounts.js';
import { openMaildirMaildrop } from '../../../src/maildrop/opened/maildir-maildrop.js';
import { defaultLimits, type SessionLimits } from '../../../src/pop3-server/commands/service.js';
import { runSession } from '../../../src/pop3-server/session/session.js';
import { ownProcessStarter } from '../../../src/pop3-server/session/starter.js';
import type { LogFields } from '../../../src/system/log/log-line.js';
import type { ServerTls } from '../../../src/system/tls/tls-server.js';
import { deadline } from '../suite/deadline.js';
import { makeInbox, type MaildirFixture } from '../mail/maildir-fixture.js';
import { makePasswordDatabase } from '../accounts/password-database-fixture.js';
import { makeSocketPair } from './socket-pair.js';
import { testFolder } from '../suite/test-folder.js';

export interface SessionOptions {
  /** Null: no certificate is configured. */
  readonly tls?: ServerTls | null;
  readonly isImplicit?: boolean;
  readonly allowsCleartext?: boolean;
  readonly bindsChannels?: boolean;
  readonly peer?: string;
  /** Failed logins are answered at once unless they say otherwise. */
  readonly limits?: Partial<SessionLimits>;
  /** Passwords or stored forms by address; `ann@example.org` with `open sesame` when absent. */
  readonly accounts?: Readonly<Record<string, string>>;
  readonly apopTimestamp?: string;
}

export interface SessionOnSocket {
  /** The client's end; nothing was read from it. */
  readonly socket: Socket;
  readonly inbox: MaildirFixture;
  readonly log: readonly { readonly event: string; readonly fields: LogFields }[];
  /** Waits for the end of the session. */
  over(): Promise<void>;
}

/** Starts a session; ann's INBOX has one message. The test's teardown ends it. */
export async function startSession(
  t: Test,
  options: SessionOptions = {},
): Promise<SessionOnSocket> {
  const folder = testFolder(t, {});
  const file = join(folder, 'passdb.sqlite');
  makePasswordDatabase(file, options.accounts ?? { 'ann@example.org': 'open sesame' });
  const inbox = makeInbox(folder, 'ann@example.org');
  inbox.add('Subject: hello\n\nworld\n');
  const authenticator = openAccounts({ file });
  const pair = await makeSocketPair();
  const log: { event: string; fields: LogFields }[] = [];
  const ended = runSession(
    pair.server,
    {
      security: {
        tls: options.tls ?? null,
        isImplicit: options.isImplicit ?? false,
        allowsCleartext: options.allowsCleartext ?? false,
        bindsChannels: options.bindsChannels ?? false,
      },
      limits: { ...defaultLimits, failureDelayMs: 0, ...options.limits },
      log: {
        write: (event, fields = {}) => log.push({ event, fields }),
        flush: () => Promise.resolve(),
      },
      authenticator: () => Promise.resolve(authenticator),
      openMaildrop: (_, { report, shouldStop }) =>
        openMaildirMaildrop(inbox.path, { marksSeen: false, report, shouldStop }),
    },
    {
      id: 'test',
      peer: options.peer,
      accessLevel: undefined,
      isGreeted: false,
      apopTimestamp: options.apopTimestamp ?? null,
      starter: ownProcessStarter(),
    },
  );
  const over = (): Promise<void> => deadline(ended, 20_000, () => 'the session goes on');
  t.teardown(async () => {
    pair.client.destroy();
    await over();
    authenticator.close();
  });
  return { socket: pair.client, inbox, log, over };
}
