// The service that pop3d gives: Maildirs, and accounts from the sources.

import type { Accepted, Authenticator } from '../../auth/accounts/authenticator.js';
import { openMaildirMaildrop } from '../../maildrop/opened/maildir-maildrop.js';
import { takeOwnersRights } from '../../maildrop/place/maildrop-owner.js';
import { requireMounted } from '../../maildrop/place/mail-root.js';
import type { MaildropPlaces } from '../../maildrop/place/maildrop-places.js';
import { tryOtherMaildir } from '../../maildrop/place/other-maildirs.js';
import type { Place } from '../../maildrop/place/place.js';
import {
  createRecentMaildrops,
  type RecentMaildrops,
} from '../../maildrop/view/recent-maildrops.js';
import { uniqueIdAssigner } from '../../maildrop/unique-ids/unique-id-assigner.js';
import type { UniqueIdSource } from '../../maildrop/unique-ids/unique-id-source.js';
import type { Maildrop } from '../../maildrop/messages/maildrop.js';
import type { Log } from '../../system/log/log.js';
import type { Security } from '../connection/link.js';
import { LastLogins } from '../../auth/sqlite/last-logins.js';
import type { MaildropSession, NotedLogin, Service, SessionLimits } from '../commands/service.js';

export interface MaildirServiceOptions {
  /** As `--passdb` names them, at least one. */
  readonly accountSources: readonly string[];
  readonly passwordQuery: string | undefined;
  readonly defaultDomain: string | undefined;
  readonly allowsWeakSchemes: boolean;
  readonly places: MaildropPlaces;
  readonly uniqueIds: UniqueIdSource;
  readonly marksSeen: boolean;
  readonly logsMessages: boolean;
  /** Where last logins are remembered; undefined: nowhere. */
  readonly lastLogin: string | undefined;
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
  const { log, limits, logsMessages, security, lastLogin } = options;
  let authenticator: Promise<Authenticator> | undefined;
  const recent = options.sessions === 'many' ? createRecentMaildrops() : undefined;
  return {
    log,
    limits,
    logsMessages,
    security,
    ...(lastLogin === undefined ? {} : { noteLogin: loginNoter(lastLogin, options) }),
    authenticator: () => (authenticator ??= openAuthenticator(options)),
    openMaildrop: (user, session) => openMaildrop(user, session, { ...options, recent }),
  };
}

function loginNoter(
  file: string,
  { log, security, sessions }: MaildirServiceOptions,
): (login: NotedLogin) => void {
  const logins = new LastLogins({ file, onWarning: (why) => log.write('warning', { why }) });
  const service = security.isImplicit ? 'pop3s' : 'pop3';
  // As root, for one session, it will be another user in a moment, who may not write the file, nor
  // have it open.
  const becomesAnother = sessions === 'one' && process.geteuid?.() === 0;
  return ({ accepted, mechanism, peer = null, tlsVersion: tls }) => {
    const { user, domain } = accepted.identity;
    const { label } = accepted.grant;
    const at = `${new Date().toISOString().slice(0, 19)}Z`;
    logins.note({ user, domain, service, at, peer, mechanism, tls, label });
    if (becomesAnother) logins.writeAndClose();
  };
}

async function openAuthenticator(options: MaildirServiceOptions): Promise<Authenticator> {
  const { openSources } = await import('../../auth/open-sources.js');
  const remembered = options.sessions === 'many' ? rememberedUsers : 0;
  return openSources({
    sources: options.accountSources,
    sessions: options.sessions,
    query: options.passwordQuery,
    defaultDomain: options.defaultDomain,
    allowsWeakSchemes: options.allowsWeakSchemes,
    rememberedRows: remembered,
    rememberedPasswords: remembered,
  });
}

async function openMaildrop(
  user: Accepted,
  session: MaildropSession,
  options: MaildirServiceOptions & { readonly recent: RecentMaildrops | undefined },
): Promise<Maildrop> {
  const place = options.places.of(user);
  const lists = options.places.uniqueIdListsOf(user);
  if (takeOwnersRights(place, options.sessions).isRoot) {
    session.report('warning', { why: 'the maildrop belongs to root' });
  }
  return openMaildirMaildrop(place.path, {
    assignUniqueIds: uniqueIdAssigner(options.uniqueIds, session.report, lists),
    expectMissing: () => expectMissing(place, session),
    kind: place.own === place.path ? 'users-directory' : 'maildir',
    days: user.grant.days,
    marksSeen: options.marksSeen && !user.grant.isReadOnly,
    recent: options.recent,
    report: session.report,
    shouldStop: session.shouldStop,
  });
}

/** @throws as `requireMounted` */
function expectMissing(place: Place, { report }: MaildropSession): void {
  requireMounted(place);
  const other = tryOtherMaildir(place);
  if (other === null) return;
  const why = `${place.path} is no Maildir, but ${other} is: see --maildrop`;
  report('warning', { why: Buffer.from(why, 'latin1').toString() });
}
