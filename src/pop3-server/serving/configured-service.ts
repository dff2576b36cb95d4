// From pop3d's options to the service that its sessions share.

import { uniqueIdSources } from '../../maildrop/unique-ids/unique-id-source.js';
import { requireSources } from '../../auth/open-sources.js';
import type { Log } from '../../system/log/log.js';
import type { Security } from '../connection/link.js';
import { createMaildirService } from './maildir-service.js';
import { placesFrom, sourcesFrom } from './place-options.js';
import { tlsFilesFrom, type Pop3dOptionValues } from './pop3d-options.js';
import { defaultLimits, type Service, type SessionLimits } from '../commands/service.js';

/** @throws ConfigurationError that names the file that is wrong; UsageError */
export async function configureService(
  given: Pop3dOptionValues,
  log: Log,
  sessions: 'one' | 'many',
): Promise<Service> {
  const accountSources = sourcesFrom(given);
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
