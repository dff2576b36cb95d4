// passdb import and export: all users of a file, or none of them.

import { isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { availableParallelism } from 'node:os';
import { exitCode, type ExitCode } from '../../system/failures/exit-code.js';
import { ConfigurationError } from '../../system/failures/failures.js';
import type { ListedUser } from '../accounts/account-store.js';
import {
  formatPlain,
  hashPassword,
  UnstorablePasswordError,
  type WritableScheme,
} from '../stored/make-password.js';
import { parseStoredPassword, UnusablePasswordError } from '../stored/parse-stored-password.js';
import { AccountLines, csvHeader, formatUser, type AccountFormat } from './account-formats.js';
import { openAccountStore, openAppPasswordStore, using } from './open-stores.js';
import type { PassdbContext } from './passdb-commands.js';
import { printable } from './passdb-output.js';
import { systemWords } from '../../system/failures/system-words.js';

export interface ImportOptions {
  /** A path, or `-` for standard input. */
  readonly file: string;
  /** Undefined: found out from the first line. */
  readonly format: AccountFormat | undefined;
  /** Of names without a domain. */
  readonly defaultDomain: string | undefined;
  /** In which the passwords, which are in clear, are stored; null where they are hashes. */
  readonly scheme: WritableScheme | null;
  readonly existing: 'refuse' | 'replace';
}

const msPerDay = 86_400_000;

/** More lines are counted only. */
const maxWrongLinesTold = 100;

/** The password as it is stored, or in clear, latin1, until it is hashed. */
interface NumberedUser extends ListedUser {
  readonly line: number;
}

/** What was found in a file. */
class Import {
  readonly users: NumberedUser[] = [];
  readonly #wrong: { readonly line: number; readonly why: string }[] = [];
  readonly #lineOf = new Map<string, number>();
  lockedCount = 0;
  /** How many accounts have expired, and the lines of those that will. */
  expiredCount = 0;
  readonly expiring: number[] = [];

  add(user: NumberedUser): void {
    const address = `${user.user}@${user.domain}`;
    const earlier = this.#lineOf.get(address);
    if (earlier !== undefined) {
      this.refuse(user.line, `${address} is on line ${earlier} already`);
      return;
    }
    this.#lineOf.set(address, user.line);
    this.users.push(user);
  }

  refuse(line: number, why: string): void {
    this.#wrong.push({ line, why });
  }

  /** @returns whether there was nothing to tell */
  tell(file: string, prompts: NodeJS.WritableStream): boolean {
    const wrong = this.#wrong.sort((one, other) => one.line - other.line);
    for (const { line, why } of wrong.slice(0, maxWrongLinesTold)) {
      prompts.write(`passdb: ${printable(`${file}:${line}: ${why}`)}\n`);
    }
    const further = wrong.length - maxWrongLinesTold;
    if (further > 0) prompts.write(`passdb: and ${further} further lines are wrong\n`);
    if (wrong.length > 0) prompts.write(`passdb: nothing was imported\n`);
    return wrong.length === 0;
  }
}

/** `no` when a line is wrong, or a user is there already: each is named, nothing is imported. */
export async function importUsers(
  context: PassdbContext,
  options: ImportOptions,
): Promise<ExitCode> {
  const { file, format, defaultDomain, scheme, existing } = options;
  const found = new Import();
  const lines = new AccountLines(format, defaultDomain, Math.floor(Date.now() / msPerDay));
  let line = 0;
  for await (const text of linesOf(file, context)) {
    line += 1;
    const parsed = lines.parse(text);
    if (parsed.is === 'wrong') found.refuse(line, parsed.why);
    else if (parsed.is === 'locked') found.lockedCount += 1;
    else if (parsed.is === 'user') {
      const { user, expiry } = parsed;
      if (expiry === 'past') found.expiredCount += 1;
      if (expiry === 'to come') found.expiring.push(line);
      const password = scheme === null ? tryStoredText(user.password) : user.password;
      if (password === null) {
        found.refuse(line, 'its password is not UTF-8');
        continue;
      }
      const why = scheme === null ? whyUnusable(password, context) : null;
      if (why === null) found.add({ ...user, password, line });
      else found.refuse(line, why);
    }
  }
  if (!found.tell(file, context.prompts)) return exitCode.no;
  const users = scheme === null ? found.users : await hashAll(found, scheme);
  if (!found.tell(file, context.prompts)) return exitCode.no;
  const store = openAccountStore({ source: context.source, isCreated: true });
  for (const index of await using(store, (editor) => editor.addAll(users, existing))) {
    const { user = '', domain = '', line: at = 0 } = users[index] ?? {};
    found.refuse(at, `${user}@${domain} exists already; --replace gives it this password`);
  }
  if (!found.tell(file, context.prompts)) return exitCode.no;
  tellWhatDiffers(found, context);
  return exitCode.ok;
}

function tellWhatDiffers(
  { lockedCount, expiredCount, expiring }: Import,
  { prompts }: PassdbContext,
): void {
  if (lockedCount > 0) prompts.write(`passdb: left out ${lockedCount} users without a password\n`);
  if (expiredCount > 0) {
    prompts.write(`passdb: disabled ${expiredCount} users whose account has expired\n`);
  }
  const [line] = expiring;
  if (line === undefined) return;
  const where = expiring.length === 1 ? `line ${line}` : `${expiring.length} lines from ${line} on`;
  prompts.write(`passdb: an expiry that is still to come is not kept: ${where}\n`);
}

/** In clear, octets that are no text are kept as base64. @returns null for what has no such form */
function tryStoredText(latin1: string): string | null {
  const octets = Buffer.from(latin1, 'latin1');
  if (isUtf8(octets)) return octets.toString();
  const [, clear] = /^\{(?:PLAIN|CLEAR|CLEARTEXT)\}(.*)$/is.exec(latin1) ?? [];
  return clear === undefined ? null : formatPlain(Buffer.from(clear, 'latin1'));
}

/** Prints all users. Application passwords are not among them, which is said. */
export async function exportUsers(
  context: PassdbContext,
  format: AccountFormat,
  domain: string | undefined,
): Promise<ExitCode> {
  const users = await using(openAccountStore(context), (editor) => editor.list());
  const chosen = users.filter((user) => domain === undefined || user.domain === domain);
  const lines = chosen.map((user) => {
    const address = printable(`${user.user}@${user.domain}`);
    if (user.password.includes('\ufffd')) {
      throw new ConfigurationError(`${address}: its password is not UTF-8`);
    }
    const formatted = formatUser(user, format);
    if ('line' in formatted) return formatted.line;
    throw new ConfigurationError(`${address}: ${formatted.why}; use --format csv`);
  });
  if (format === 'csv') lines.unshift(csvHeader);
  for (const line of lines) context.output.write(`${line}\n`);
  const apps = await using(openAppPasswordStore(context), (editor) => editor.list(null));
  const appCount = apps.length;
  if (appCount > 0) {
    context.prompts.write(`passdb: ${appCount} application passwords are not exported\n`);
  }
  return exitCode.ok;
}

/** latin1, without line ends. @throws ConfigurationError for a file that cannot be read */
async function* linesOf(file: string, { input }: PassdbContext): AsyncGenerator<string> {
  const source = file === '-' ? input.setEncoding('latin1') : createReadStream(file, 'latin1');
  const failed = new Promise<never>((_, reject) => source.once('error', reject));
  const lines = createInterface({ input: source, crlfDelay: Infinity })[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await Promise.race([lines.next(), failed]);
      if (next.done === true) return;
      yield next.value;
    }
  } catch (error) {
    throw new ConfigurationError(`${file}: ${systemWords(error)}`);
  }
}

function whyUnusable(password: string, options: PassdbContext): string | null {
  try {
    parseStoredPassword(password, options);
    return null;
  } catch (error) {
    if (!(error instanceof UnusablePasswordError)) throw error;
    return error.message;
  }
}

/** As many at a time as there are processors. */
async function hashAll(found: Import, scheme: WritableScheme): Promise<readonly NumberedUser[]> {
  const hashed: NumberedUser[] = [];
  const width = availableParallelism();
  for (let start = 0; start < found.users.length; start += width) {
    await Promise.all(
      found.users.slice(start, start + width).map(async (user, index) => {
        try {
          const password = await hashPassword(scheme, Buffer.from(user.password, 'latin1'));
          hashed[start + index] = { ...user, password };
        } catch (error) {
          if (!(error instanceof UnstorablePasswordError)) throw error;
          found.refuse(user.line, error.message);
        }
      }),
    );
  }
  return hashed;
}
