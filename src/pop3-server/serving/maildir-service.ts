// The service that pop3d gives: Maildirs, and accounts from the sources.

import type { Authenticator } from '../../auth/accounts/authenticator.js';
import { openPlace } from '../../maildrop/opened/open-place.js';
import { takeOwnersRights, takeRightsOf, type Owner } from '../../maildrop/place/maildrop-owner.js';
import type { MaildropPlaces } from '../../maildrop/place/maildrop-places.js';
import type { MailThreads } from '../../maildrop/threads/mail-threads.js';
import { createRecentMaildrops } from '../../maildrop/view/recent-maildrops.js';
import type { UniqueIdSource } from '../../maildrop/unique-ids/unique-id-source.js';
import { mayWaitForOthers } from '../../system/files/mounts.js';
import type { Log } from '../../system/log/log.js';
import type { Security } from '../connection/link.js';
import { LastLogins } from '../../auth/sqlite/last-logins.js';
import type { NotedLogin, Service, SessionLimits } from '../commands/service.js';

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
  /** Whether calls on mail may wait for another machine; undefined: as the kernel's mounts say. */
  readonly sharedMail: boolean | undefined;
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
  return {
    log,
    limits,
    logsMessages,
    security,
    ...(lastLogin === undefined ? {} : { noteLogin: loginNoter(lastLogin, options) }),
    authenticator: () => (authenticator ??= openAuthenticator(options)),
    openMaildrop: maildropOpener(options),
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

/** Opens maildrops on this thread, and those of shared file systems on threads for mail. */
function maildropOpener(options: MaildirServiceOptions): Service['openMaildrop'] {
  const { places, sessions, sharedMail } = options;
  const recent = sessions === 'many' ? createRecentMaildrops() : undefined;
  let threads: Promise<MailThreads> | undefined;
  return async (user, session) => {
    const place = places.of(user);
    const settings = {
      place,
      uniqueIds: options.uniqueIds,
      uniqueIdLists: places.uniqueIdListsOf(user),
      days: user.grant.days,
      marksSeen: options.marksSeen && !user.grant.isReadOnly,
    };
    const noteOwner = ({ isRoot }: { readonly isRoot: boolean }): void => {
      if (isRoot) session.report('warning', { why: 'the maildrop belongs to root' });
    };
    if (sharedMail ?? mayWaitForOthers(place.path)) {
      threads ??= loadThreads(sessions);
      const takeRights = (owner: Owner): void => noteOwner(takeRightsOf(owner, sessions));
      return (await threads).open(settings, session, takeRights);
    }
    noteOwner(takeOwnersRights(place, sessions));
    return openPlace(settings, session, recent);
  };
}

async function loadThreads(sessions: 'one' | 'many'): Promise<MailThreads> {
  const { MailThreads } = await import('../../maildrop/threads/mail-threads.js');
  return new MailThreads(sessions);
}
