// From pop3d's options to the service that its sessions share.

import { lowerCaseAscii } from '../../auth/accounts/login-name.js';
import { MaildropPlaces } from '../../maildrop/place/maildrop-places.js';
import { uniqueIdSources } from '../../maildrop/unique-ids/unique-id-source.js';
import { UsageError } from '../../system/failures/failures.js';
import { requireSources } from '../../auth/open-sources.js';
import type { Log } from '../../system/log/log.js';
import type { Security } from '../connection/link.js';
import { createMaildirService } from './maildir-service.js';
import { tlsFilesFrom, type Pop3dOptionValues } from './pop3d-options.js';
import { defaultLimits, type Service, type SessionLimits } from '../commands/service.js';

/** @throws ConfigurationError that names the file that is wrong; UsageError */
export async function configureService(
  given: Pop3dOptionValues,
  log: Log,
  sessions: 'one' | 'many',
): Promise<Service> {
  const accountSources = given.passdb ?? ['passdb.sqlite'];
  // What is wrong with a source's name, or missing for it, is told at the start.
  await requireSources({ sources: accountSources, query: given['passdb-query'] });
  return createMaildirService({
    security: await loadSecurity(given, log),
    accountSources,
    passwordQuery: given['passdb-query'],
    defaultDomain: given['default-domain'],
    allowsWeakSchemes: given['allow-weak-schemes'] ?? false,
    places: placesFrom(given),
    uniqueIds: uniqueIdSources.find((source) => source === given.uidl) ?? 'filename',
    marksSeen: given['mark-seen'] ?? false,
    sharedMail: given['shared-mail'],
    lastLogin: given['last-login'],
    logsMessages: given['log-messages'] ?? false,
    sessions,
    limits: limitsFrom(given),
    log,
  });
}

function placesFrom(given: Pop3dOptionValues): MaildropPlaces {
  const dovecotControl = given['dovecot-control'];
  if (dovecotControl !== undefined && given.uidl !== 'dovecot') {
    throw new UsageError('option --dovecot-control goes with --uidl dovecot');
  }
  const defaultDomain = given['default-domain'];
  return new MaildropPlaces({
    maildrop: given.maildrop,
    dovecotControl,
    defaultDomain: defaultDomain && lowerCaseAscii(defaultDomain).replace(/\.$/, ''),
  });
}

function limitsFrom(given: Pop3dOptionValues): SessionLimits {
  const inMs = (seconds: number | undefined, otherwise: number): number =>
    seconds === undefined ? otherwise : seconds * 1000;
  return {
    ...defaultLimits,
    idleTimeoutMs: inMs(given['idle-timeout'], defaultLimits.idleTimeoutMs),
    loginTimeoutMs: inMs(given['login-timeout'], defaultLimits.loginTimeoutMs),
    handshakeTimeoutMs: inMs(given['handshake-timeout'], defaultLimits.handshakeTimeoutMs),
    failureDelayMs: inMs(given['failure-delay'], defaultLimits.failureDelayMs),
  };
}

async function loadSecurity(given: Pop3dOptionValues, log: Log): Promise<Security> {
  const files = tlsFilesFrom(given);
  const allowsCleartext = given['allow-cleartext'] ?? false;
  const bindsChannels = given['channel-binding'] ?? false;
  if (files === null) return { tls: null, isImplicit: false, allowsCleartext, bindsChannels };
  const { certificates, isImplicit } = files;
  const { watchServerTls } = await import('../../system/tls/watched-tls.js');
  const tls = watchServerTls(certificates, {
    onReload: (file) => log.write('certificate', { file }),
    onWarning: (why) => log.write('warning', { why }),
  });
  return { tls, isImplicit, allowsCleartext, bindsChannels };
}
