#!/usr/bin/env node
// pop3d: one POP3 session on stdin and stdout or on a passed socket. pop3d(8).
// What the greeting does not need is loaded after it: a client on a slow machine sees an answer at once.

import { writeSync } from 'node:fs';
import { greetingWith } from '../pop3-server/greeting.js';
import type { TlsFiles } from '../pop3-server/pop3-process.js';
import { exitCode, type ExitCode } from '../system/exit-code.js';
import { logOptionTable } from '../system/log-options.js';
import { tryWholeNumber, UsageError, type OptionValues } from '../system/options.js';
import { runProgram } from '../system/program.js';

const options = {
  accesslevel: {
    kind: 'number',
    value: 'N',
    min: 0,
    max: 2_147_483_647,
    env: 'ACCESSLEVEL',
    help: '0: close at once; any other: serve',
  },
  passdb: {
    kind: 'text',
    value: 'FILE',
    env: 'PASSDB',
    help: 'password database (passdb.sqlite)',
  },
  'passdb-query': {
    kind: 'text',
    value: 'SQL',
    env: 'PASSDB_QUERY',
    help: 'for another shape: :user, :domain, :address; the first column is the password',
  },
  'default-domain': {
    kind: 'text',
    value: 'DOMAIN',
    env: 'DEFAULT_DOMAIN',
    help: 'for logins without @',
  },
  'tls-cert': {
    kind: 'text',
    value: 'FILE',
    env: 'TLS_CERT',
    help: 'certificate chain in PEM: offer STLS',
  },
  'tls-key': {
    kind: 'text',
    value: 'FILE',
    env: 'TLS_KEY',
    help: 'private key in PEM (where the certificate is)',
  },
  tls: { kind: 'flag', help: 'TLS from the first octet (pop3s)' },
  'allow-cleartext': {
    kind: 'flag',
    help: 'logins without TLS, though a certificate is configured, from anywhere',
  },
  apop: { kind: 'flag', help: 'offer APOP, for accounts stored as {PLAIN}' },
  'idle-timeout': {
    kind: 'number',
    value: 'S',
    min: 1,
    max: 86_400,
    help: 'seconds between commands after login (600)',
  },
  'login-timeout': {
    kind: 'number',
    value: 'S',
    min: 1,
    max: 86_400,
    help: 'seconds from greeting to login (180)',
  },
  'mark-seen': { kind: 'flag', help: 'flag retrieved messages as seen at QUIT' },
  ...logOptionTable,
} as const;

await runProgram(
  {
    name: 'pop3d',
    synopsis: '[options] [socket]',
    purpose: 'Serves one POP3 session on stdin and stdout, or on the passed socket.',
    options,
    positionals: [0, 1],
  },
  async ({ options: given, positionals: [socket] }) => {
    const fd = socket === undefined ? undefined : tryWholeNumber(socket, 0, 1_048_576);
    if (fd === null)
      throw new UsageError(`the socket must be a descriptor number, not "${socket ?? ''}"`);
    if (given.accesslevel === 0) return exitCode.ok;
    const tls = tlsFilesFrom(given);
    const apopTimestamp = given.apop === true ? await makeApopTimestamp() : null;
    // What TLS needs may be wrong, and is loaded before a word is said.
    const isGreeted = tls === null && tryGreet(fd ?? 1, greetingWith(apopTimestamp));
    return serve({ given, fd, tls, apopTimestamp, isGreeted });
  },
);

/** Writes the greeting at once. Where that does not work the session will, or will find out why not. */
function tryGreet(fd: number, greeting: string): boolean {
  try {
    return writeSync(fd, greeting) === greeting.length;
  } catch {
    return false;
  }
}

/** RFC 1939 §7: unique for each session, in the form of a message-id. */
async function makeApopTimestamp(): Promise<string> {
  const { randomBytes } = await import('node:crypto');
  const { hostname } = await import('node:os');
  const host = hostname().replace(/[^A-Za-z0-9.-]/g, '') || 'localhost';
  return `<${process.pid}.${randomBytes(12).toString('hex')}@${host}>`;
}

function tlsFilesFrom(given: OptionValues<typeof options>): TlsFiles | null {
  const certificateFile = given['tls-cert'];
  if (certificateFile === undefined) {
    if (given.tls === true) throw new UsageError('option --tls needs --tls-cert');
    if (given['tls-key'] !== undefined) throw new UsageError('option --tls-key needs --tls-cert');
    return null;
  }
  const keyFile = given['tls-key'] ?? certificateFile;
  return { certificateFile, keyFile, isImplicit: given.tls ?? false };
}

interface Start {
  readonly given: OptionValues<typeof options>;
  readonly fd: number | undefined;
  readonly tls: TlsFiles | null;
  readonly apopTimestamp: string | null;
  readonly isGreeted: boolean;
}

async function serve({ given, ...start }: Start): Promise<ExitCode> {
  const { servePop3Process } = await import('../pop3-server/pop3-process.js');
  await servePop3Process({
    ...start,
    allowsCleartext: given['allow-cleartext'] ?? false,
    accessLevel: given.accesslevel,
    logging: { log: given.log, 'log-format': given['log-format'] },
    passwordDatabase: given.passdb ?? 'passdb.sqlite',
    passwordQuery: given['passdb-query'],
    defaultDomain: given['default-domain'],
    marksSeen: given['mark-seen'] ?? false,
    idleTimeoutMs: given['idle-timeout'] === undefined ? undefined : given['idle-timeout'] * 1000,
    loginTimeoutMs:
      given['login-timeout'] === undefined ? undefined : given['login-timeout'] * 1000,
  });
  return exitCode.ok;
}
