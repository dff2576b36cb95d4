// Where users' directories are: a path with words in braces for what differs between users, such as
// `{domain}/{user}/INBOX`. doc/pop3d.8, Maildrops. No two users ever get one path from a template.

import type { Identity } from '../../auth/accounts/authenticator.js';
import { UsageError } from '../../system/failures/failures.js';
import { MaildropRefused } from '../messages/maildrop-refused.js';
import { encodeDirectoryName } from './directory-name.js';
import { pathGiven } from './place-given.js';
import type { Place } from './place.js';

export const templateWords = ['user', 'domain', 'address', 'home'] as const;

export type TemplateWord = (typeof templateWords)[number];

/** The user whose path is wanted. */
export interface PathUser {
  readonly identity: Identity;
  /** As the account source gives it. */
  readonly home: string | null;
}

interface Segment {
  readonly before: string;
  readonly word: TemplateWord | null;
  readonly after: string;
}

/** Longest name of a directory, in octets. */
const maxNameBytes = 255;

export class PathTemplate {
  /** Whether users of different domains would get one path: it may serve one domain only. */
  readonly isForOneDomain: boolean;
  readonly #text: string;
  readonly #segments: readonly Segment[];
  readonly #isAbsolute: boolean;

  /** @throws UsageError that says what is wrong with the template */
  constructor(text: string) {
    this.#text = text;
    // Control characters can only be a mistake, and would not be seen in a log.
    if (/\p{Cc}/u.test(text)) throw new UsageError('a control character in the template');
    this.#isAbsolute = text.startsWith('/');
    this.#segments = text
      .split('/')
      .filter((part) => part !== '' && part !== '.')
      .map((part) => this.#parseSegment(part));
    this.#requireDistinctPaths();
    this.isForOneDomain = !this.#has('domain') && !this.#has('address') && !this.#has('home');
  }

  /** @throws MaildropRefused where a name cannot be a directory's, or the home is not known */
  expand({ identity, home }: PathUser): Place {
    const lead = this.#isAbsolute ? '/' : '';
    let names = '';
    let own: string | undefined;
    let root: string | undefined;
    for (const segment of this.#segments) {
      const { word } = segment;
      if (word !== null) root ??= this.#isAbsolute ? lead + names : '.';
      if (names !== '') names += '/';
      names += word === 'home' ? this.#homePath(home) : directoryName(segment, identity);
      // From the first part that is one user's, what is below is for that user to change.
      if (word !== null && word !== 'domain') own ??= lead + names;
    }
    const path = lead + names;
    return {
      path,
      own: own ?? path,
      root: this.#segments[0]?.word === 'home' ? path : (root ?? '.'),
    };
  }

  #has(wanted: TemplateWord): boolean {
    return this.#segments.some(({ word }) => word === wanted);
  }

  #homePath(home: string | null): string {
    if (home === null) {
      throw new MaildropRefused(`the account source gives no home for "${this.#text}"`);
    }
    return pathGiven(home, 'home');
  }

  #parseSegment(part: string): Segment {
    if (part === '..') throw new UsageError('a template may not have ".." in it');
    const [, before = '', name, after = ''] = /^([^{}]*)(?:\{([^{}]*)\}(.*))?$/s.exec(part) ?? [];
    const word = templateWords.find((candidate) => candidate === name) ?? null;
    const known = templateWords.map((candidate) => `{${candidate}}`).join(' ');
    if (word === null && (name !== undefined || /[{}]/.test(part))) {
      throw new UsageError(`unknown word in "${part}": the words are ${known}`);
    }
    if (/[{}]/.test(after)) {
      throw new UsageError(
        `two words in "${part}" could be two users' path: put a slash between, or use {address}`,
      );
    }
    if (word === 'home' && part !== '{home}') {
      throw new UsageError('{home} is a whole path: nothing but a slash may stand beside it');
    }
    return {
      before: Buffer.from(before).toString('latin1'),
      word,
      after: Buffer.from(after).toString('latin1'),
    };
  }

  #requireDistinctPaths(): void {
    const at = this.#segments.findIndex(({ word }) => word === 'home');
    if (at > 0 || (at === 0 && this.#isAbsolute)) {
      throw new UsageError('{home} is a whole path: it must stand at the beginning');
    }
    const isDistinct = this.#has('user') || this.#has('address') || this.#has('home');
    if (!isDistinct) {
      throw new UsageError('every user would get the same path: use {user}, {address} or {home}');
    }
  }
}

/** @throws MaildropRefused where it cannot be one */
function directoryName({ before, word, after }: Segment, identity: Identity): string {
  const name = word === null ? '' : encodeDirectoryName(valueOf(word, identity));
  const segment = `${before}${name ?? ''}${after}`;
  if (name === null || segment.length > maxNameBytes) {
    throw new MaildropRefused('this name cannot be a directory');
  }
  return segment;
}

function valueOf(word: TemplateWord, { user, domain }: Identity): string {
  if (word === 'address') return `${user}@${domain}`;
  return word === 'domain' ? domain : user;
}
