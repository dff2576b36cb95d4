// What a POP3 session must answer, written from the standards and doc/pop3d.8 and sharing no code with src: octets go in, and it
// says which replies must come out and what QUIT removes. RFC 1939, RFC 2449, RFC 5034, RFC 6856.

import { asSent, topAsSent } from '../support/mail/as-sent.js';
import type { Expectation, ExpectedReply } from './expected-reply.js';

export interface ModelOptions {
  /** The maildrop at the login, as stored. */
  readonly messages: readonly Buffer[];
  /** Their unique-ids, if the model is to know them. */
  readonly uniqueIds?: readonly string[];
  readonly address: string;
  readonly password: string;
  readonly maxBadCommandsBeforeLogin: number;
  readonly maxBadCommandsAfterLogin: number;
  readonly maxFailedLogins: number;
  /** TLS has begun before the first octet that the model is fed; SCRAM can then be bound to it. RFC 9266. */
  readonly isInTls?: boolean;
}

/** An exchange of AUTH that waits for a line. */
interface Exchange {
  readonly mechanism: string;
  readonly name: string | null;
}

const longestCommandLine = 1024;
const longestLine = 12_288;
/** Of a line without an end in sight. */
const mostPatience = 65_536;

const mechanisms = ['SCRAM-SHA-256', 'PLAIN', 'LOGIN'];
const languages = ['en', 'de'];
const error: ExpectedReply = { kind: 'status', begins: '-ERR' };
const ok: ExpectedReply = { kind: 'status', begins: '+OK' };
const challenge: ExpectedReply = { kind: 'challenge' };
const anyLines: ExpectedReply = { kind: 'multiline', begins: '+OK' };

export class SessionModel {
  readonly expectations: Expectation[] = [{ reply: ok, to: 'the connection' }];
  readonly #options: ModelOptions;
  readonly #marked = new Set<number>();
  #waiting = '';
  #userName: string | null = null;
  #exchange: Exchange | null = null;
  #isLoggedIn = false;
  #isClosed = false;
  #hasQuit = false;
  #isAmbiguous = false;
  #badCommands = 0;
  #failedLogins = 0;

  constructor(options: ModelOptions) {
    this.#options = options;
  }

  /** Whether the session is over, or can go on in ways that only its reply will tell. */
  get isOver(): boolean {
    return this.#isClosed || this.#isAmbiguous;
  }

  /** Whether a line has begun and not ended. */
  get isInLine(): boolean {
    return this.#waiting !== '';
  }

  /** How many of the last octets the model cannot follow, because what comes before them can be answered in several ways. */
  get unfollowedOctets(): number {
    return this.#isAmbiguous ? this.#waiting.length : 0;
  }

  get isInTls(): boolean {
    return this.#options.isInTls ?? false;
  }

  get isLoggedIn(): boolean {
    return this.#isLoggedIn;
  }

  get hasUser(): boolean {
    return this.#userName !== null;
  }

  /** The mechanism whose exchange waits for a line, and whether it has the name already. */
  get exchange(): Exchange | null {
    return this.#exchange;
  }

  /** Message numbers for which DELE was accepted. */
  get marked(): ReadonlySet<number> {
    return this.#marked;
  }

  /** Whether QUIT removes what is marked: it was said after the login. */
  get removesMarked(): boolean {
    return this.#hasQuit && this.#isLoggedIn;
  }

  /** @param octets latin1 */
  feed(octets: string): void {
    this.#waiting += octets;
    let from = 0;
    while (!this.isOver) {
      const end = this.#waiting.indexOf('\n', from);
      if (end === -1) break;
      this.#takeLine(this.#waiting.slice(from, end));
      from = end + 1;
    }
    this.#waiting = this.#waiting.slice(from);
    if (!this.isOver && this.#waiting.length > mostPatience) {
      this.#takeLine(this.#waiting);
      this.#waiting = '';
    }
  }

  #expect(reply: ExpectedReply, to: string): void {
    this.expectations.push({ reply, to });
  }

  /** @param raw without its LF */
  #takeLine(raw: string): void {
    if (raw.length > mostPatience) {
      this.#isClosed = true;
      this.#expect(error, 'a line without end');
      return;
    }
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    this.#expect(this.#answer(line), line);
  }

  #answer(line: string): ExpectedReply {
    const exchange = this.#exchange;
    this.#exchange = null;
    if (line.length > longestLine) {
      if (exchange !== null) this.#breakOff(exchange);
      return this.#bad();
    }
    if (exchange !== null) return this.#continue(exchange, line);
    const space = line.indexOf(' ');
    const word = space === -1 ? line : line.slice(0, space);
    // Of ASCII letters only, before their case is changed: the upper case of a sharp s is SS.
    const keyword = /^[A-Za-z]+8?$/.test(word) ? word.toUpperCase() : '';
    const argument = space === -1 ? null : line.slice(space + 1);
    if (line.includes('\0') || !keywords.has(keyword)) return this.#bad();
    if (line.length > longestCommandLine && keyword !== 'AUTH') return this.#bad();
    const words = (argument ?? '').split(' ').filter((word) => word !== '');
    return this.#isLoggedIn
      ? this.#inTransaction(keyword, words)
      : this.#inAuthorization(keyword, argument, words);
  }

  /** None of POP3's commands, or nothing that can be one. */
  #bad(): ExpectedReply {
    this.#badCommands += 1;
    const most = this.#isLoggedIn
      ? this.#options.maxBadCommandsAfterLogin
      : this.#options.maxBadCommandsBeforeLogin;
    if (this.#badCommands > most) this.#isClosed = true;
    return error;
  }

  #inAuthorization(
    keyword: string,
    argument: string | null,
    words: readonly string[],
  ): ExpectedReply {
    switch (keyword) {
      case 'USER': {
        const name = (argument ?? '').replace(/^ +/, '').replace(/ +$/, '');
        if (name === '') return error;
        this.#userName = name;
        return ok;
      }
      case 'PASS': {
        if (argument === null || this.#userName === null) return error;
        const name = this.#userName;
        this.#userName = null;
        return this.#logIn(name, argument);
      }
      case 'AUTH':
        return this.#auth(words);
      default:
        return this.#anywhere(keyword, words);
    }
  }

  #inTransaction(keyword: string, words: readonly string[]): ExpectedReply {
    switch (keyword) {
      case 'STAT':
        return words.length > 0 ? error : { kind: 'status', begins: `+OK ${this.#totals()}` };
      case 'LIST':
        return this.#list(words, (number) => String(this.#octetsOf(number)));
      case 'UIDL':
        return this.#list(words, (number) => this.#options.uniqueIds?.[number - 1]);
      case 'RETR':
        return this.#message(words, 1, (stored) => asSent(stored));
      case 'TOP': {
        const count = words[1] === undefined ? 0 : tryDecimal(words[1]);
        if (count === null) return error;
        return this.#message(words, 2, (stored) => topAsSent(stored, count));
      }
      case 'DELE': {
        const number = words.length === 1 ? this.#present(words[0]) : null;
        if (number === null) return error;
        this.#marked.add(number);
        return ok;
      }
      case 'NOOP':
        return words.length > 0 ? error : ok;
      case 'RSET':
        if (words.length > 0) return error;
        this.#marked.clear();
        return ok;
      default:
        return this.#anywhere(keyword, words);
    }
  }

  #anywhere(keyword: string, words: readonly string[]): ExpectedReply {
    const [first] = words;
    switch (keyword) {
      case 'CAPA':
        return words.length > 0 ? error : anyLines;
      case 'UTF8':
        return words.length > 0 ? error : ok;
      case 'LANG':
        if (words.length > 1) return error;
        return first === undefined ? anyLines : isLanguage(first) ? ok : error;
      case 'QUIT':
        if (words.length > 0) return error;
        this.#hasQuit = true;
        this.#isClosed = true;
        return ok;
      // Not offered here, or commands of the other state.
      default:
        return error;
    }
  }

  #auth([mechanism, initial, ...rest]: readonly string[]): ExpectedReply {
    if (mechanism === undefined) return anyLines;
    if (rest.length > 0) return error;
    const response = initial === undefined ? null : tryDecode(initial === '=' ? '' : initial);
    if (initial !== undefined && response === null) return error;
    const name = mechanism.toUpperCase();
    if (!mechanisms.includes(name)) return error;
    const exchange = { mechanism: name, name: null };
    if (response !== null) return this.#proceed(exchange, response);
    this.#exchange = exchange;
    return challenge;
  }

  #continue(exchange: Exchange, line: string): ExpectedReply {
    const response = line === '*' ? null : tryDecode(line);
    return response === null ? this.#breakOff(exchange) : this.#proceed(exchange, response);
  }

  /** A failed login once the exchange has a name. */
  #breakOff({ name }: Exchange): ExpectedReply {
    return name === null ? error : this.#refuse();
  }

  #proceed({ mechanism, name }: Exchange, response: string): ExpectedReply {
    if (mechanism === 'LOGIN') {
      if (name !== null) return this.#logIn(name, response);
      this.#exchange = { mechanism, name: response };
      return challenge;
    }
    if (mechanism === 'PLAIN') {
      const [authzid = '', authcid, ...rest] = response.split('\0');
      const isAllowed = authzid === '' || authzid === authcid;
      return authcid === undefined || rest.length === 0 || !isAllowed
        ? this.#refuse()
        : this.#logIn(authcid, rest.join('\0'));
    }
    // Only what starts like a SCRAM message can be one.
    if (!/^[nyp]/.test(response)) return this.#refuse();
    this.#isAmbiguous = true;
    return { kind: 'challenge-or-error' };
  }

  #logIn(name: string, password: string): ExpectedReply {
    if (name !== this.#options.address || password !== this.#options.password) {
      return this.#refuse();
    }
    this.#isLoggedIn = true;
    this.#badCommands = 0;
    return ok;
  }

  #refuse(): ExpectedReply {
    this.#failedLogins += 1;
    if (this.#failedLogins >= this.#options.maxFailedLogins) this.#isClosed = true;
    return error;
  }

  /** The number of a message that exists and is not marked, or null. */
  #present(word: string | undefined): number | null {
    const number = word === undefined ? null : tryDecimal(word);
    const exists = number !== null && number >= 1 && number <= this.#options.messages.length;
    return exists && !this.#marked.has(number) ? number : null;
  }

  #presentNumbers(): number[] {
    return this.#options.messages
      .map((_, index) => index + 1)
      .filter((number) => !this.#marked.has(number));
  }

  #octetsOf(number: number): number {
    return asSent(this.#options.messages[number - 1] ?? Buffer.alloc(0)).length;
  }

  #totals(): string {
    const numbers = this.#presentNumbers();
    const octets = numbers.reduce((sum, number) => sum + this.#octetsOf(number), 0);
    return `${numbers.length} ${octets}`;
  }

  /** LIST and UIDL: of all messages, or of one. */
  #list(words: readonly string[], valueOf: (number: number) => string | undefined): ExpectedReply {
    if (words.length === 0) {
      const lines = this.#presentNumbers().map((number) => [number, valueOf(number)] as const);
      const isKnown = lines.every(([, value]) => value !== undefined);
      const body = lines.map((line) => `${line.join(' ')}\r\n`).join('');
      return { kind: 'multiline', begins: '+OK', body: isKnown ? body : undefined };
    }
    const number = words.length === 1 ? this.#present(words[0]) : null;
    if (number === null) return error;
    const value = valueOf(number);
    return {
      kind: 'status',
      begins: `+OK ${number}${value === undefined ? '' : ` ${value}`}`,
    };
  }

  /** RETR and TOP. */
  #message(
    words: readonly string[],
    mostWords: number,
    sentOf: (stored: Buffer) => Buffer,
  ): ExpectedReply {
    const number = words.length <= mostWords ? this.#present(words[0]) : null;
    if (number === null) return error;
    const sent = sentOf(this.#options.messages[number - 1] ?? Buffer.alloc(0)).toString('latin1');
    return { kind: 'multiline', begins: '+OK', body: sent.replace(/(^|\r\n)\./g, '$1..') };
  }
}

const keywords = new Set(
  'CAPA STLS USER PASS AUTH APOP UTF8 LANG STAT LIST RETR DELE NOOP RSET TOP UIDL QUIT'.split(' '),
);

/** Digits only, up to 2,147,483,647. */
function tryDecimal(word: string): number | null {
  if (!/^[0-9]+$/.test(word)) return null;
  return Number(word) <= 2 ** 31 - 1 ? Number(word) : null;
}

/** RFC 4648 §4 to the letter: whole quantums, padding at the end only. */
function tryDecode(text: string): string | null {
  const bare = text.replace(/={1,2}$/, '');
  if (text.length % 4 !== 0 || /[^A-Za-z0-9+/]/.test(bare)) return null;
  return Buffer.from(text, 'base64').toString('latin1');
}

/** RFC 6856 §3: a tag of ours, a longer one that starts with one, or `*` for the default. */
function isLanguage(tag: string): boolean {
  return tag === '*' || languages.includes(tag.toLowerCase().split('-')[0] ?? '');
}
