// The service that pop3d gives: Maildirs below the current directory, passwords from a SQLite file.

import type { Accepted, Authenticator } from '../../auth/accounts/authenticator.js';
import { openMaildirMaildrop } from '../../maildrop/opened/maildir-maildrop.js';
import { takeOwnersRights } from '../../maildrop/place/maildrop-owner.js';
import { requireMounted } from '../../maildrop/place/mail-root.js';
import { maildropPathOf } from '../../maildrop/place/maildrop-path.js';
import {
  createRecentMaildrops,
  type RecentMaildrops,
} from '../../maildrop/view/recent-maildrops.js';
import { uniqueIdAssigner } from '../../maildrop/unique-ids/unique-id-assigner.js';
import type { UniqueIdSource } from '../../maildrop/unique-ids/unique-id-source.js';
import type { Maildrop } from '../../maildrop/messages/maildrop.js';
import type { Log } from '../../system/log/log.js';
import { MaildropRefused } from '../../maildrop/messages/maildrop-refused.js';
import type { Security } from '../connection/link.js';
import type { MaildropSession, Service, SessionLimits } from '../commands/service.js';

export interface MaildirServiceOptions {
  readonly passwordDatabase: string;
  readonly passwordQuery: string | undefined;
  readonly defaultDomain: string | undefined;
  readonly allowsWeakSchemes: boolean;
  readonly uniqueIds: UniqueIdSource;
  readonly marksSeen: boolean;
  readonly logsMessages: boolean;
  /**
   * Whether this process serves one session, and may become the maildrop's owner for it, or many.
   */
  readonly sessions: 'one' | 'many';
  readonly security: Security;
  readonly limits: SessionLimits;
  readonly log: Log;
}

/**
 * Rows and right passwords that a process for many sessions remembers, so that they are read and
 * hashed once; 3 MB.
 */
const rememberedUsers = 10_000;

export function createMaildirService(options: MaildirServiceOptions): Service {
  const { log, limits, logsMessages, security } = options;
  let authenticator: Promise<Authenticator> | undefined;
  const recent = options.sessions === 'many' ? createRecentMaildrops() : undefined;
  return {
    log,
    limits,
    logsMessages,
    security,
    authenticator: () => (authenticator ??= openAuthenticator(options)),
    openMaildrop: (user, session) => openMaildrop(user, session, { ...options, recent }),
  };
}

async function openAuthenticator(options: MaildirServiceOptions): Promise<Authenticator> {
  const { openAccounts } = await import('../../auth/open-accounts.js');
  const remembered = options.sessions === 'many' ? rememberedUsers : 0;
  return openAccounts({
    file: options.passwordDatabase,
    query: options.passwordQuery,
    defaultDomain: options.defaultDomain,
    allowsWeakSchemes: options.allowsWeakSchemes,
    rememberedRows: remembered,
    rememberedPasswords: remembered,
  });
}

async function openMaildrop(
  { identity }: Accepted,
  session: MaildropSession,
  options: MaildirServiceOptions & { readonly recent: RecentMaildrops | undefined },
): Promise<Maildrop> {
  const inbox = maildropPathOf(identity);
  if (inbox === null) throw new MaildropRefused('this name cannot be a directory');
  if (takeOwnersRights(inbox, options.sessions).isRoot) {
    session.report('warning', { why: 'the maildrop belongs to root' });
  }
  return openMaildirMaildrop(inbox, {
    assignUniqueIds: uniqueIdAssigner(options.uniqueIds, session.report),
    expectMissing: requireMounted,
    marksSeen: options.marksSeen,
    recent: options.recent,
    report: session.report,
    shouldStop: session.shouldStop,
  });
}
