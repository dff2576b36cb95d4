// What of a POP3 session may be written where others could read it. A password can stand on any
// line before a login is over, also where none belongs: people type it behind USER and NOOP. So a
// client's words are shown only where they have the form that RFC 1939, RFC 2449, RFC 5034 and RFC
// 6856 give them, and numbers of messages only after a login.

/**
 * What may stand behind a keyword, before and after a login; a keyword that is not here is masked
 * with all of its line.
 */
const shownArguments: Readonly<
  Record<string, { readonly always?: RegExp; readonly inside?: RegExp }>
> = {
  CAPA: {},
  STLS: {},
  QUIT: {},
  STAT: {},
  NOOP: {},
  RSET: {},
  UTF8: {},
  LANG: { always: /^(?:\*|[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)$/ },
  USER: { always: /^[^ ]+/ },
  PASS: {},
  APOP: { always: /^[^ ]+(?= )/ },
  AUTH: { always: /^[A-Za-z0-9_-]{1,20}(?= |$)/ },
  LIST: { inside: /^[0-9]{1,10}$/ },
  RETR: { inside: /^[0-9]{1,10}$/ },
  DELE: { inside: /^[0-9]{1,10}$/ },
  UIDL: { inside: /^[0-9]{1,10}$/ },
  TOP: { inside: /^[0-9]{1,10} +[0-9]{1,10}$/ },
};

const loginCommands: ReadonlySet<string> = new Set(['PASS', 'APOP', 'AUTH']);

/** So many masked texts are looked for in replies. */
const maxRemembered = 20;
/** Shorter ones stand in replies by chance. */
const minRememberedLength = 4;
const maxPending = 1000;

/**
 * Follows one session. Lines come without their ends, latin1, in the order in which they were seen.
 */
export class SessionMask {
  /** Keywords of the commands that have no reply yet; the greeting is the reply to nothing. */
  readonly #pending: string[] = [''];
  readonly #masked: string[] = [];
  #isLoggedIn = false;
  /** The server waits for a SASL response: the client's next line is no command. */
  #isChallenged = false;

  /** @param octets of the whole line, of which `line` may be a beginning */
  command(line: string, octets: number): string {
    const [, keyword = '', rest = ''] = /^([A-Za-z0-9]+)(?= |$)(.*)$/s.exec(line) ?? [];
    const upper = keyword.toUpperCase();
    const isResponse = this.#isChallenged;
    this.#isChallenged = false;
    if (!isResponse && this.#pending.length < maxPending) this.#pending.push(upper);
    const shown = Object.hasOwn(shownArguments, upper) ? shownArguments[upper] : undefined;
    if (isResponse || shown === undefined) {
      this.#remember(line);
      return `(${octets} octets masked)`;
    }
    const given = rest.trim();
    if (given === '') return keyword;
    const pattern = shown.always ?? (this.#isLoggedIn ? shown.inside : undefined);
    const [words = ''] = pattern?.exec(given) ?? [];
    if (words === given) return line;
    this.#remember(given.slice(words.length));
    return `${keyword}${words === '' ? '' : ` ${words}`} (masked)`;
  }

  /**
   * A SASL challenge may have what was said before in it, and so may a reply that says what is
   * wrong.
   */
  reply(line: string): string {
    if (line.startsWith('+ ') || line === '+') return this.#challenge(line);
    const isReply = /^(?:\+OK|-ERR)(?: |$)/.test(line);
    if (!this.#isLoggedIn && isReply) {
      const keyword = this.#pending.shift() ?? '';
      this.#isLoggedIn = loginCommands.has(keyword) && line.startsWith('+OK');
    }
    if (!isReply) return line;
    return this.#masked.reduce((text, masked) => text.replaceAll(masked, '(masked)'), line);
  }

  #challenge(line: string): string {
    // What was sent ahead of the challenge was no command either.
    if (this.#pending.length > 1) this.#pending.splice(1, 1);
    else this.#isChallenged = true;
    return line.trimEnd() === '+' ? line : '+ (masked)';
  }

  /** Each word by itself too: a server may repeat one of them. */
  #remember(text: string): void {
    for (const part of new Set([text.trim(), ...text.split(' ')])) {
      if (part.length >= minRememberedLength) this.#masked.push(part);
    }
    if (this.#masked.length > maxRemembered) {
      this.#masked.splice(0, this.#masked.length - maxRemembered);
    }
  }
}
