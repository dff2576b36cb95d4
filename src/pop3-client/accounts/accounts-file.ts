// The file of `--config`, accounts(5): sections with the options of pop3get.

import { readTextFile, TextFileError } from '../../system/files/text-file.js';
import { ConfigurationError, UsageError } from '../../system/failures/failures.js';
import { logOptionTable } from '../../system/program/log-options.js';
import { pop3getOptionTable } from '../settings/option-table.js';

export interface AccountSection {
  readonly name: string;
  /** The command line that it stands for, without what all sections share. */
  readonly words: readonly string[];
}

export interface AccountsFile {
  readonly sections: readonly AccountSection[];
}

const maxOctets = 1 << 20;
/** What is for all accounts together, and stands on the command line only. */
const programWide = new Set<string>([
  ...['config', 'at-once', 'json', 'quiet', 'dry-run'],
  ...Object.keys(logOptionTable),
]);
const paths = new Set([
  ...['directory', 'password-file', 'token-file', 'gmail-token-file', 'tls-ca'],
  ...['tls-cert', 'tls-key'],
]);

/** @throws ConfigurationError naming file and line */
export function readAccountsFile(path: string, environment: NodeJS.ProcessEnv): AccountsFile {
  try {
    return parseAccountsFile(path, readTextFile(path, maxOctets), environment);
  } catch (error) {
    if (!(error instanceof TextFileError)) throw error;
    throw new ConfigurationError(`--config: ${path} ${error.message}`);
  }
}

/**
 * @param path for errors
 * @param environment HOME and CREDENTIALS_DIRECTORY may stand at the start of a path
 */
export function parseAccountsFile(
  path: string,
  text: string,
  environment: NodeJS.ProcessEnv,
): AccountsFile {
  const sections = new Map<string, Map<string, string>>();
  let current: Map<string, string> | null = null;
  for (const [index, line] of text.split('\n').entries()) {
    const fail = (reason: string): never => {
      throw new ConfigurationError(`${path}:${index + 1}: ${reason}`);
    };
    const trimmed = line.trim();
    if (trimmed === '' || /^[#;]/.test(trimmed)) continue;
    const header = /^\[(.*)\]$/.exec(trimmed)?.[1]?.trim();
    if (header !== undefined) {
      if (header === '' || header.startsWith('-')) fail(`"${header}" can be no name of an account`);
      if (sections.has(header)) fail(`the section [${header}] is there twice`);
      current = new Map();
      sections.set(header, current);
      continue;
    }
    const [, name, value = null] = /^([a-z0-9_-]+)(?:\s*=\s*(.*))?$/i.exec(trimmed) ?? [];
    if (name === undefined) return fail(`"${trimmed}" is neither an option nor [a section]`);
    if (current === null) return fail('an option before the first section, such as [defaults]');
    if (current.has(name)) fail(`${name} is given twice`);
    try {
      current.set(name, wordFor(name, value, environment));
    } catch (error) {
      fail((error as Error).message);
    }
  }
  const defaults = sections.get('defaults') ?? new Map<string, string>();
  sections.delete('defaults');
  if (sections.size === 0) throw new ConfigurationError(`${path}: there is no account in it`);
  return {
    sections: [...sections].map(([name, own]) => ({
      name,
      words: wordsOf(path, name, new Map([...defaults, ...own])),
    })),
  };
}

/** `domain` and `username` are arguments; they may be among the defaults too. */
function wordsOf(path: string, name: string, words: Map<string, string>): readonly string[] {
  const [domain, username] = ['domain', 'username'].map((option) => {
    const word = words.get(option);
    if (word === undefined) throw new ConfigurationError(`${path}: [${name}] lacks ${option}`);
    words.delete(option);
    return word;
  });
  return [...words.values(), '--', domain ?? '', username ?? ''];
}

function wordFor(name: string, value: string | null, environment: NodeJS.ProcessEnv): string {
  if (name === 'domain' || name === 'username') {
    if (value === null || value === '') throw new UsageError(`${name} needs a value`);
    return value;
  }
  if (name === 'password') throw new UsageError('use password-file or password-command');
  const option = Object.hasOwn(pop3getOptionTable, name)
    ? pop3getOptionTable[name as keyof typeof pop3getOptionTable]
    : undefined;
  if (option === undefined) throw new UsageError(`unknown option "${name}"`);
  if (programWide.has(name)) throw new UsageError(`${name} is for the command line`);
  if (option.kind === 'valued-flag' && option.pattern.test(value ?? '')) {
    return `--${name}=${value ?? ''}`;
  }
  if (option.kind !== 'flag' && option.kind !== 'valued-flag') {
    if (value === null || value === '') throw new UsageError(`${name} needs a value`);
    return `--${name}=${paths.has(name) ? expand(value, environment) : value}`;
  }
  if (value === null || /^(yes|on|true|1)$/i.test(value)) return `--${name}`;
  if (/^(no|off|false|0)$/i.test(value)) return `--no-${name}`;
  const values = option.kind === 'flag' ? 'yes or no' : `yes, no or ${option.example}`;
  throw new UsageError(`${name} needs ${values}, not "${value}"`);
}

function expand(path: string, environment: NodeJS.ProcessEnv): string {
  const [start, name] = path.startsWith('~/')
    ? ['~', 'HOME']
    : path.startsWith('$CREDENTIALS_DIRECTORY/')
      ? ['$CREDENTIALS_DIRECTORY', 'CREDENTIALS_DIRECTORY']
      : ['', null];
  if (name === null) return path;
  const folder = environment[name] ?? '';
  if (folder === '') throw new UsageError(`${name} is not set, and "${path}" needs it`);
  return folder + path.slice(start.length);
}
