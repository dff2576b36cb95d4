#!/usr/bin/env node
// pop3token: prints valid OAuth 2 access tokens for mail programs. Manual: doc/pop3token.1.

import '../system/program/refuse-debugger.js';
import { checkName, GrantStore, type Grant } from '../pop3-token/grant.js';
import { logIn } from '../pop3-token/log-in.js';
import { checkSecrecy, readProvider, type Provider } from '../pop3-token/provider.js';
import { findValidToken } from '../pop3-token/valid-token.js';
import { exitCode, type ExitCode } from '../system/failures/exit-code.js';
import { ConfigurationError, UsageError } from '../system/failures/failures.js';
import { readTextFile, TextFileError } from '../system/files/text-file.js';
import type { CommandLine, OptionTable } from '../system/program/options.js';
import { printText, runProgram } from '../system/program/program.js';

const table = {
  provider: { kind: 'text', value: 'PROVIDER', help: 'microsoft, google or a provider file' },
  'client-id': {
    kind: 'text',
    value: 'ID',
    env: 'POP3TOKEN_CLIENT_ID',
    help: 'the id under which the provider knows this program',
  },
  'client-secret-file': {
    kind: 'text',
    value: 'FILE',
    help: 'its first line is the secret that goes with the id, where there is one',
  },
  scope: { kind: 'text', value: 'SCOPE', help: "what to ask for, instead of the provider's own" },
  user: { kind: 'text', value: 'ADDRESS', help: 'who is to sign in, for pages that heed it' },
  flow: {
    kind: 'text',
    value: 'FLOW',
    choices: ['auto', 'device', 'redirect'],
    help: 'auto (default: device, where the provider has it), device or redirect',
  },
  state: {
    kind: 'text',
    value: 'DIR',
    env: 'POP3TOKEN_STATE',
    help: 'where grants are kept (default: ~/.local/state/pop3token)',
  },
} as const satisfies OptionTable;

type Pop3tokenCommandLine = CommandLine<typeof table>;

void runProgram(
  {
    name: 'pop3token',
    synopsis: '[options] login NAME | [print] NAME | list | logout NAME',
    purpose: 'Prints valid OAuth 2 access tokens for mail programs, and keeps what they come from.',
    options: table,
    positionals: [1, 2],
  },
  async (commandLine) => {
    const { options, positionals } = commandLine;
    const store = new GrantStore(options.state ?? null, process.env);
    store.open();
    const [word = '', second] = positionals;
    if (word === 'list' && second === undefined) return list(store);
    const isCommand = ['login', 'logout', 'print'].includes(word);
    if (isCommand !== (second !== undefined)) {
      throw new UsageError(
        isCommand ? `${word} needs the name of a grant` : `unknown command "${word}"`,
      );
    }
    const name = second ?? word;
    checkName(name);
    if (word === 'login') return login(store, name, commandLine);
    return word === 'logout' ? logout(store, name) : print(store, name);
  },
);

async function print(store: GrantStore, name: string): Promise<ExitCode> {
  const isRefused = (process.env['POP3GET_TOKEN_REFUSED'] ?? '') !== '';
  const token = await findValidToken({ store, name, isRefused, warn });
  printText('pop3token', `${token}\n`);
  return exitCode.ok;
}

async function login(
  store: GrantStore,
  name: string,
  { options }: Pop3tokenCommandLine,
): Promise<ExitCode> {
  const lock = await store.lock(name);
  try {
    const before = store.tryRead(name);
    const grant = await logIn({
      provider: providerFor(name, options, before),
      user: options.user ?? before?.user ?? null,
      flow: (options.flow ?? 'auto') as 'auto' | 'device' | 'redirect',
      tell: (text) => process.stderr.write(text),
    });
    await store.write(name, grant);
    if (grant.refreshToken === null) {
      warn(
        `the provider gave no refresh token: the grant of ${name} ends with its first access token`,
      );
    }
    printText('pop3token', `${describe(name, grant)}\n`);
    return exitCode.ok;
  } finally {
    lock.release();
  }
}

function providerFor(
  name: string,
  options: Pop3tokenCommandLine['options'],
  before: Grant | null,
): Provider {
  const { provider: word, scope, 'client-id': clientId, 'client-secret-file': file } = options;
  if (word === undefined && before === null) {
    throw new UsageError(`login ${name} needs --provider: microsoft, google or a provider file`);
  }
  const provider =
    word === undefined && before !== null ? before.provider : readProvider(word ?? '');
  return {
    ...provider,
    ...(scope === undefined ? {} : { scope }),
    ...(clientId === undefined ? {} : { clientId }),
    ...(file === undefined ? {} : { clientSecret: readSecret(file) }),
  };
}

function readSecret(path: string): string {
  try {
    const [line = ''] = readTextFile(path, 4096).split(/\r?\n/);
    if (line === '') throw new TextFileError('is empty');
    checkSecrecy(path);
    return line;
  } catch (error) {
    if (!(error instanceof TextFileError)) throw error;
    throw new UsageError(`--client-secret-file: ${path} ${error.message}`);
  }
}

function list(store: GrantStore): ExitCode {
  let status: ExitCode = exitCode.ok;
  for (const name of store.names()) {
    try {
      const grant = store.tryRead(name);
      if (grant !== null) printText('pop3token', `${describe(name, grant)}\n`);
    } catch (error) {
      // One that is broken hides no other.
      if (!(error instanceof ConfigurationError)) throw error;
      warn(error.message);
      status = exitCode.permanent;
    }
  }
  return status;
}

async function logout(store: GrantStore, name: string): Promise<ExitCode> {
  const lock = await store.lock(name);
  try {
    if (await store.remove(name)) return exitCode.ok;
  } finally {
    lock.release();
  }
  warn(`there is no grant called ${name}`);
  return exitCode.no;
}

function describe(name: string, { provider, user, expiresAt, endsAt }: Grant): string {
  const words = [
    ...[name, `provider=${provider.name}`, ...(user === null ? [] : [`user=${user}`])],
    `token-expires=${new Date(expiresAt).toISOString()}`,
    ...(endsAt === null ? [] : [`grant-ends=${new Date(endsAt).toISOString()}`]),
  ];
  return words.join(' ');
}

function warn(text: string): void {
  process.stderr.write(`pop3token: ${text}\n`);
}
