// Users in text files: Dovecot's passwd-file, shadow(5), CSV (RFC 4180, a record a line). Pure.
// Lines are latin1: their octets are what counts.

import { tryLoginName, type LoginName } from '../accounts/login-name.js';

export const accountFormats = ['passwd', 'shadow', 'csv'] as const;

export type AccountFormat = (typeof accountFormats)[number];

/** A user of a file; the password as the file has it, latin1. */
export interface FileUser extends LoginName {
  readonly password: string;
  readonly isActive: boolean;
}

/** Whether an account has an end, as in shadow(5); after it the user is not active. */
export type Expiry = 'none' | 'past' | 'to come';

/** What a line is: a user, nothing at all, or why it is neither. */
export type ParsedLine =
  | { readonly is: 'user'; readonly user: FileUser; readonly expiry: Expiry }
  | { readonly is: 'nothing' }
  /** A user who cannot log in with any password, as daemons in shadow(5). */
  | { readonly is: 'locked' }
  | { readonly is: 'wrong'; readonly why: string };

const nothing: ParsedLine = { is: 'nothing' };

/** Takes the lines of one file, in order. */
export class AccountLines {
  readonly #defaultDomain: string | undefined;
  readonly #today: number;
  #format: AccountFormat | undefined;
  /** Where CSV has what; null until its first line. */
  #columns: Columns | null = null;
  #isFirst = true;

  /**
   * @param format found out from the first line when undefined
   * @param today in days since 1970
   */
  constructor(format: AccountFormat | undefined, defaultDomain: string | undefined, today: number) {
    this.#format = format;
    this.#defaultDomain = defaultDomain;
    this.#today = today;
  }

  parse(text: string): ParsedLine {
    // A byte order mark, as latin1.
    const line = (this.#isFirst ? text.replace(/^\xef\xbb\xbf/, '') : text).replace(/\r$/, '');
    this.#isFirst = false;
    if (/^\s*(?:#|$)/.test(line)) return nothing;
    this.#format ??= /^[^:,]*:/.test(line) ? 'passwd' : 'csv';
    return this.#format === 'csv' ? this.#parseRecord(line) : this.#parseEntry(line);
  }

  #parseEntry(line: string): ParsedLine {
    const [name = '', password, , , , , , ...extra] = line.split(':');
    if (password === undefined) return wrong('there is no colon in it');
    const fields = extra.join(':');
    const limit = /(?:^|\s)(allow_nets|nopassword|nologin)\b/.exec(fields)?.[1];
    if (this.#format === 'passwd' && limit !== undefined) {
      return wrong(`"${limit}" cannot be kept for a user`);
    }
    if (password === 'x') return wrong('its password is in another file, shadow(5)');
    const expiry = expiryOf(line.split(':'), this.#today);
    const parsed = this.#user(name, password, expiry !== 'past');
    return parsed.is === 'user' ? { ...parsed, expiry } : parsed;
  }

  #parseRecord(line: string): ParsedLine {
    const fields = tryFields(line);
    if (fields === null) return wrong('a quote that does not end, or ends within a field');
    if (this.#columns === null) {
      const columns = columnsIn(fields);
      if ('why' in columns) return wrong(columns.why);
      this.#columns = columns;
      if (columns.isHeader) return nothing;
    }
    const { name, domain, password, active } = this.#columns;
    const value = (at: number): string => fields[at] ?? '';
    const isActive = truths[value(active).toLowerCase()];
    if (isActive === undefined) return wrong('its state is neither Y nor N');
    if (fields.length <= Math.max(name, password)) return wrong('there are too few fields in it');
    const login = domain === -1 ? value(name) : `${value(name)}@${value(domain)}`;
    return this.#user(login, value(password), isActive);
  }

  #user(given: string, password: string, isActive: boolean): ParsedLine {
    const name = tryLoginName(Buffer.from(given, 'latin1'), this.#defaultDomain);
    if (name === null) {
      const hint = given.includes('@') ? '' : '; --default-domain gives names a domain';
      return wrong(`"${Buffer.from(given, 'latin1').toString()}" is not a user@domain${hint}`);
    }
    if ([name.user, name.domain].some((part) => part.trim() !== part)) {
      return wrong('there are blanks at an end of a name');
    }
    const [, lock = '', rest = ''] = /^([*!]*)(.*)$/s.exec(password) ?? [];
    if (lock === '') return { is: 'user', user: { ...name, password, isActive }, expiry: 'none' };
    // `!` in front of a password disables it, and `*` or `!` alone is none.
    return /^[{$]/.test(rest)
      ? { is: 'user', user: { ...name, password: rest, isActive: false }, expiry: 'none' }
      : { is: 'locked' };
  }
}

/**
 * The end that a line of shadow(5), which is known by its nine fields, sets an account: the day of
 * its expiry, or days after its password has become too old. That a password will become too old
 * is no end: another is chosen in time.
 */
function expiryOf(fields: readonly string[], today: number): Expiry {
  const numbers = fields.slice(2, 8);
  if (fields.length !== 9 || !numbers.every((field) => /^(?:-1|[0-9]*)$/.test(field))) {
    return 'none';
  }
  const [changed = -1, , most = -1, , inactive = -1, expires = -1] = numbers.map((field) =>
    field === '' ? -1 : Number(field),
  );
  const isTooOld = changed > 0 && most >= 0 && inactive >= 0 && today >= changed + most + inactive;
  if (isTooOld || (expires >= 0 && today >= expires)) return 'past';
  return expires >= 0 ? 'to come' : 'none';
}

interface Columns {
  /** -1 where there is none. */
  readonly name: number;
  readonly domain: number;
  readonly password: number;
  readonly active: number;
  readonly isHeader: boolean;
}

const truths: Readonly<Record<string, boolean | undefined>> = Object.assign(
  Object.create(null) as Record<string, boolean>,
  { '': true, y: true, yes: true, '1': true, true: true, active: true },
  { n: false, no: false, '0': false, false: false, disabled: false },
);

function columnsIn(fields: readonly string[]): Columns | { readonly why: string } {
  const names = fields.map((field) => field.trim().toLowerCase());
  const at = (...wanted: readonly string[]): number =>
    names.findIndex((name) => wanted.includes(name));
  const password = at('password', 'hash', 'crypt');
  const name = at('address', 'email', 'username', 'user', 'login', 'name');
  if (password === -1 || name === -1) {
    return { name: 0, domain: -1, password: 1, active: 2, isHeader: false };
  }
  // What limits a password must not get lost in silence.
  const limit = names.find((candidate) =>
    ['label', 'networks', 'read_only', 'days', 'expires'].includes(candidate),
  );
  if (limit !== undefined) return { why: `the column "${limit}" cannot be kept for a user` };
  return { name, domain: at('domain'), password, active: at('active', 'enabled'), isHeader: true };
}

/** The fields of a record, quotes taken away. @returns null for a quote in the wrong place */
function tryFields(line: string): readonly string[] | null {
  const fields: string[] = [];
  const field = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/y;
  for (let isMore = true; isMore;) {
    const found = field.exec(line);
    if (found === null) return null;
    fields.push(found[1]?.replaceAll('""', '"') ?? found[2] ?? '');
    isMore = found[3] === ',';
  }
  return fields;
}

function wrong(why: string): ParsedLine {
  return { is: 'wrong', why };
}

/** A user of a file as a line, UTF-8. @returns why it cannot be one in this format */
export function formatUser(
  { user, domain, password, isActive }: FileUser,
  format: AccountFormat,
): { readonly line: string } | { readonly why: string } {
  const address = `${user}@${domain}`;
  const lock = isActive ? '' : '!';
  switch (format) {
    case 'csv':
      return { line: [user, domain, password, isActive ? 'Y' : 'N'].map(quoted).join(',') };
    case 'passwd': {
      if (address.includes(':')) return { why: 'there is a colon in its name' };
      const stored = /[:\r\n]/.test(password) ? inBase64(password) : password;
      if (stored === null) return { why: 'there is a colon in its password' };
      return { line: `${address}:${lock}${stored}` };
    }
    case 'shadow': {
      const hash = password.replace(/^\{[A-Z0-9-]*CRYPT\}(?=\$)/i, '');
      if (user.includes(':')) return { why: 'there is a colon in its name' };
      if (!hash.startsWith('$')) return { why: 'its password is no crypt(3) string' };
      return { line: `${user}:${lock}${hash}:::::::` };
    }
  }
}

export const csvHeader = 'username,domain,password,active';

function quoted(field: string): string {
  return /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}

/** @returns null for a password without a scheme, or one that is encoded already */
function inBase64(password: string): string | null {
  const [, scheme, value] = /^\{([A-Za-z0-9-]+)\}(.*)$/s.exec(password) ?? [];
  if (scheme === undefined || value === undefined) return null;
  return `{${scheme}.b64}${Buffer.from(value).toString('base64')}`;
}
