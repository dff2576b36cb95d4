// Dovecot's auth service as the judge of passwords, so that every backend that Dovecot has serves:
// its socket `auth-client` says whether a password is right, `auth-userdb` where the mail is.
// Dovecot's documentation: auth client protocol 1.2, auth master protocol 1.1.

import { randomInt } from 'node:crypto';
import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SourceUnavailable } from '../accounts/account-source.js';
import type { Verdict } from '../accounts/authenticator.js';
import { unlimited, type Grant } from '../accounts/grant.js';
import { tryLoginName, type LoginName } from '../accounts/login-name.js';
import type { PasswordAuthority, PasswordQuestion } from '../authorities/password-authority.js';
import { AuthConnection } from './auth-connection.js';
import type { AuthLine } from './auth-fields.js';

export interface DovecotOptions {
  /** Dovecot's base_dir, or the path of one socket that speaks the auth client protocol. */
  readonly directory: string;
  /** The domain of users whom Dovecot knows without one. */
  readonly defaultDomain: string | undefined;
}

export class DovecotAuthority implements PasswordAuthority {
  readonly #defaultDomain: string | undefined;
  readonly #passwords: AuthConnection;
  readonly #users: AuthConnection;

  constructor({ directory, defaultDomain }: DovecotOptions) {
    this.#defaultDomain = defaultDomain;
    const isSocket = statSync(directory, { throwIfNoEntry: false })?.isSocket() === true;
    this.#passwords = new AuthConnection({
      path: isSocket ? directory : join(directory, 'auth-client'),
      greeting: () => [
        ['VERSION', '1', '2'],
        // A number that no other client has: in containers all have the same process id.
        ['CPID', String(randomInt(1, 0x7fff_ffff))],
      ],
      readyAt: 'DONE',
      answers: ['OK', 'FAIL', 'CONT'],
      cancel: 'CANCEL',
    });
    this.#users = new AuthConnection({
      path: join(isSocket ? dirname(directory) : directory, 'auth-userdb'),
      greeting: () => [['VERSION', '1', '1']],
      readyAt: null,
      answers: ['USER', 'NOTFOUND', 'FAIL'],
      cancel: null,
    });
  }

  async ask(question: PasswordQuestion): Promise<Verdict> {
    const untilMs = performance.now() + question.withinMs;
    const { word, fields } = await this.#passwords.ask(
      'AUTH',
      ['PLAIN', ...factsOf(question)],
      question.withinMs,
    );
    if (word === 'FAIL') return refusalOf(fields);
    if (word !== 'OK') throw new SourceUnavailable('Dovecot wants another answer', false);
    // Dovecot lets such users in only to send them to another server.
    if (fields.has('nologin')) return { verdict: 'rejected', reason: 'Dovecot says nologin' };
    const user = fields.get('user');
    const name = typeof user === 'string' ? user : question.name;
    const identity = this.#identityOf(name, question.login);
    if (identity === null) {
      return { verdict: 'rejected', reason: 'Dovecot gives the user an impossible name' };
    }
    const grant = await this.#grantOf(name, untilMs - performance.now());
    return { verdict: 'accepted', identity, grant };
  }

  /** Dovecot may have given the user another name than the client did. */
  #identityOf(name: string, login: LoginName): LoginName | null {
    return tryLoginName(Buffer.from(name), this.#defaultDomain ?? login.domain);
  }

  async #grantOf(user: string, withinMs: number): Promise<Grant> {
    let answer: AuthLine;
    try {
      answer = await this.#users.ask('USER', [user, 'service=pop3'], withinMs);
    } catch (error) {
      // Few setups let others than Dovecot's own processes read it.
      if (error instanceof SourceUnavailable && error.isLasting) return unlimited;
      throw error;
    }
    switch (answer.word) {
      case 'USER':
        return { ...unlimited, ...placeOf(answer.fields) };
      // Dovecot knows passwords only, as for an SMTP server.
      case 'NOTFOUND':
        return unlimited;
      default:
        throw new SourceUnavailable(`Dovecot's userdb fails: ${textOf(answer.fields)}`, false);
    }
  }

  close(): void {
    this.#passwords.close();
    this.#users.close();
  }
}

function factsOf({ name, password, client }: PasswordQuestion): readonly string[] {
  const { address, isTls } = client;
  const response = Buffer.concat([Buffer.from(`\0${name}\0`), password]).toString('base64');
  return [
    'service=pop3',
    ...(isTls ? ['secured=tls'] : []),
    ...(address === null ? [] : [`rip=${address}`]),
    // pop3d delays failed logins itself.
    'no-penalty',
    // It must be the last.
    `resp=${response}`,
  ];
}

function refusalOf(fields: AuthLine['fields']): Verdict {
  if (fields.has('temp') || fields.get('code') === 'temp_fail') {
    throw new SourceUnavailable(`Dovecot cannot tell: ${textOf(fields)}`, false);
  }
  if (fields.has('user_disabled')) return { verdict: 'rejected', reason: 'disabled user' };
  const isExpired = fields.has('pass_expired') || fields.get('code') === 'pass_expired';
  return { verdict: 'rejected', reason: isExpired ? 'password expired' : 'Dovecot refuses' };
}

/** The home, and Dovecot's mail location. That may lack its format, which is a Maildir's then. */
function placeOf(fields: AuthLine['fields']): Pick<Grant, 'maildrop' | 'home'> {
  const home = fieldIn(fields, 'home');
  // Each of them comes before the next.
  const names = ['namespace/inbox/location', 'mail', 'mail_location'];
  const mail = names.map((name) => fieldIn(fields, name)).find((text) => text !== null) ?? null;
  const maildrop = mail === null || /^[a-z]+:/i.test(mail) ? mail : `maildir:${mail}`;
  return { home, maildrop };
}

function fieldIn(fields: AuthLine['fields'], name: string): string | null {
  const value = fields.get(name);
  return typeof value === 'string' && value !== '' ? value : null;
}

function textOf(fields: AuthLine['fields']): string {
  const reason = fields.get('reason');
  return typeof reason === 'string' ? reason : 'its log says why';
}
