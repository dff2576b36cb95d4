// Who gives access tokens for a mailbox: the endpoints of an OAuth 2 server and what to ask of it.
// Microsoft and Google are built in; others have a provider file, described in pop3token(1).

import { statSync } from 'node:fs';
import { readTextFile, TextFileError } from '../system/files/text-file.js';
import { ConfigurationError } from '../system/failures/failures.js';

export interface Provider {
  readonly name: string;
  /** RFC 8414: where the other addresses may be looked up. */
  readonly issuer: string | null;
  readonly authorize: string | null;
  /** RFC 8628; null where the provider gives no mail scope by device flow. */
  readonly device: string | null;
  readonly token: string | null;
  readonly scope: string | null;
  readonly clientId: string | null;
  readonly clientSecret: string | null;
  /** Where the browser comes back to; a free port is put in. RFC 8252 §7.3. */
  readonly redirect: string;
  /** Parameters for the page of consent. */
  readonly parameters: Readonly<Record<string, string>>;
  /** How long a grant lasts however much it is used; null when that is not known. */
  readonly grantDays: number | null;
}

const nothing: Omit<Provider, 'name'> = {
  ...{ issuer: null, authorize: null, device: null, token: null, scope: null },
  ...{ clientId: null, clientSecret: null, redirect: 'http://127.0.0.1/', parameters: {} },
  grantDays: null,
};

const microsoft = 'https://login.microsoftonline.com/common';

const builtIn: readonly Provider[] = [
  {
    ...nothing,
    name: 'microsoft',
    authorize: `${microsoft}/oauth2/v2.0/authorize`,
    device: `${microsoft}/oauth2/v2.0/devicecode`,
    token: `${microsoft}/oauth2/v2.0/token`,
    scope: 'https://outlook.office.com/POP.AccessAsUser.All offline_access',
    // Of registered loopback addresses only this name takes any port.
    redirect: 'http://localhost/',
  },
  {
    ...nothing,
    name: 'google',
    issuer: 'https://accounts.google.com',
    authorize: 'https://accounts.google.com/o/oauth2/v2/auth',
    token: 'https://oauth2.googleapis.com/token',
    scope: 'https://mail.google.com/',
    // Without both there is no refresh token at a second consent.
    parameters: { access_type: 'offline', prompt: 'consent' },
  },
];

const maxOctets = 65_536;

/**
 * @param word the name of one that is built in, or a file's path
 * @throws ConfigurationError naming file and line
 */
export function readProvider(word: string): Provider {
  const known = builtIn.find(({ name }) => name === word.toLowerCase());
  if (known !== undefined) return known;
  let text;
  try {
    text = readTextFile(word, maxOctets);
  } catch (error) {
    if (!(error instanceof TextFileError)) throw error;
    throw new ConfigurationError(
      `--provider is microsoft, google or a file, and ${word} ${error.message}`,
    );
  }
  const provider = parseProvider(word, text);
  if (provider.clientSecret !== null) checkSecrecy(word);
  return provider;
}

/** @throws ConfigurationError for a file with a client's secret that every user can read */
export function checkSecrecy(path: string): void {
  if ((statSync(path).mode & 0o007) === 0) return;
  throw new ConfigurationError(
    `${path} holds a client secret and can be read by others: chmod 600 ${path}`,
  );
}

const words = ['issuer', 'authorize', 'device', 'token', 'scope', 'redirect'] as const;

/** @param path for errors */
export function parseProvider(path: string, text: string): Provider {
  const found: Record<string, unknown> = { ...nothing, name: path };
  const parameters: Record<string, string> = {};
  const seen = new Set<string>();
  for (const [index, line] of text.split('\n').entries()) {
    const fail = (reason: string): never => {
      throw new ConfigurationError(`${path}:${index + 1}: ${reason}`);
    };
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#')) continue;
    const [, word = '', value = ''] = /^(\S+)\s*(.*)$/.exec(trimmed) ?? [];
    if (value === '') fail(`${word} needs a value`);
    if (word !== 'parameter' && seen.has(word)) fail(`${word} is given twice`);
    seen.add(word);
    if ((words as readonly string[]).includes(word)) {
      if (word !== 'scope') checkAddress(value, fail);
      found[word] = value;
    } else if (word === 'client-id') found['clientId'] = value;
    else if (word === 'client-secret') found['clientSecret'] = value;
    else if (word === 'grant-days') {
      if (!/^[1-9][0-9]{0,4}$/.test(value)) fail('grant-days needs a number of days');
      found['grantDays'] = Number(value);
    } else if (word === 'parameter') {
      const [, name, text] = /^([A-Za-z0-9_.-]+)=(.*)$/.exec(value) ?? [];
      if (name === undefined || text === undefined) fail('parameter needs NAME=VALUE');
      else parameters[name] = text;
    } else fail(`unknown word "${word}"`);
  }
  if (found['issuer'] === null && found['token'] === null) {
    throw new ConfigurationError(
      `${path}: give the address of the token endpoint, or of an issuer`,
    );
  }
  return { ...found, parameters } as Provider;
}

/** Tokens go only over TLS, or to this machine. */
function checkAddress(text: string, fail: (reason: string) => never): void {
  let url;
  try {
    url = new URL(text);
  } catch {
    return fail(`"${text}" is no address`);
  }
  if (url.protocol !== 'https:' && !isLoopback(url)) fail(`"${text}" must begin with https://`);
}

export function isLoopback({ protocol, hostname }: URL): boolean {
  return protocol === 'http:' && /^(localhost|127\.[0-9.]+|\[::1\])$/.test(hostname);
}
