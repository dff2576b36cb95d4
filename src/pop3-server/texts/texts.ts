// The words of replies, from one data file per language. RFC 6856 §3 (LANG).

import { readdirSync, readFileSync } from 'node:fs';

/** Fills `{name}` in a text. Values come from us, never from the peer: a reply echoes nothing. */
export type TextValues = Readonly<Record<string, string | number>>;

const folder = new URL('./languages/', import.meta.url);

/** The same text for each of the numbers that the language tells apart, such as `one`. */
type PluralForms = { readonly other: string } & { readonly [form in Intl.LDMLPluralRule]?: string };

const remembered = 1000;

/** One language's texts. */
export class Texts {
  readonly #tag: string;
  readonly #texts: Readonly<Record<string, string | PluralForms>>;
  readonly #pieces = new Map<string, readonly string[]>();
  #pluralRules: Intl.PluralRules | undefined;
  /** Of the numbers that nearly every reply has; the rules take as long as the rest of it. */
  readonly #pluralForms: Intl.LDMLPluralRule[] = [];

  /**
   * @param tag an RFC 5646 tag for which there is a file.
   * @throws when there is none or it is not JSON
   */
  constructor(tag: string) {
    this.#tag = tag;
    this.#texts = JSON.parse(readFileSync(new URL(`${tag}.json`, folder), 'utf8')) as Record<
      string,
      string | PluralForms
    >;
  }

  /**
   * Takes the form for `count` where a text has several.
   *
   * @returns the text; the name itself where a translation lacks it, so that a reply is never empty
   */
  format(name: string, values: TextValues = {}): string {
    const found = this.#texts[name] ?? name;
    const text = typeof found === 'string' ? found : this.#formFor(values['count'], found);
    if (!text.includes('{')) return text;
    const fill = (piece: string, index: number): string =>
      index % 2 === 0 ? piece : String(values[piece] ?? '');
    return this.#piecesOf(text).map(fill).join('');
  }

  /** What stands around the names of values, and the names between, in turns. */
  #piecesOf(text: string): readonly string[] {
    let pieces = this.#pieces.get(text);
    if (pieces === undefined) {
      pieces = text.split(/\{([A-Za-z]+)\}/);
      this.#pieces.set(text, pieces);
    }
    return pieces;
  }

  #formFor(count: string | number | undefined, forms: PluralForms): string {
    const number = Number(count);
    let form = this.#pluralForms[number];
    if (form === undefined) {
      this.#pluralRules ??= new Intl.PluralRules(this.#tag);
      form = this.#pluralRules.select(number);
      if (number < remembered) this.#pluralForms[number] = form;
    }
    return forms[form] ?? forms.other;
  }
}

let english: Texts | undefined;

/** The language of a session that chose none. */
export function defaultTexts(): Texts {
  english ??= new Texts('en');
  return english;
}

/** The tags of all languages there is a file for. */
export function languageTags(): readonly string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => name.slice(0, -'.json'.length))
    .sort();
}

/**
 * Finds the language for a tag, in any case; `de-AT` falls back to `de` (RFC 4647 §3.4), `*` is the
 * default.
 *
 * @returns null when there is none
 */
export function lookUpLanguage(tag: string): string | null {
  if (tag === '*') return 'en';
  const known = languageTags();
  const subtags = tag.toLowerCase().split('-');
  for (let count = subtags.length; count > 0; count -= 1) {
    const candidate = subtags.slice(0, count).join('-');
    const found = known.find((other) => other.toLowerCase() === candidate);
    if (found !== undefined) return found;
  }
  return null;
}
