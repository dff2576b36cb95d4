// The words of replies, from one data file per language. RFC 6856 §3 (LANG).

import { readFileSync } from 'node:fs';

/** Fills `{name}` in a text. Values come from us, never from the peer: a reply echoes nothing. */
export type TextValues = Readonly<Record<string, string | number>>;

const folder = new URL('../../../src/pop3-server/languages/', import.meta.url);

/** One language's texts. */
export class Texts {
  readonly #texts: Readonly<Record<string, string>>;

  /** @param tag an RFC 5646 tag for which there is a file. @throws when there is none or it is not JSON */
  constructor(tag: string) {
    this.#texts = JSON.parse(readFileSync(new URL(`${tag}.json`, folder), 'utf8')) as Record<
      string,
      string
    >;
  }

  /** @returns the text; the name itself where a translation lacks it, so that a reply is never empty */
  format(name: string, values: TextValues = {}): string {
    const text = this.#texts[name] ?? name;
    if (!text.includes('{')) return text;
    return text.replace(/\{([A-Za-z]+)\}/g, (_, key: string) => String(values[key] ?? ''));
  }
}

let english: Texts | undefined;

/** The language of a session that chose none. */
export function defaultTexts(): Texts {
  english ??= new Texts('en');
  return english;
}
