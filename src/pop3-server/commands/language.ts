// UTF8 and LANG. RFC 6856 §2, §3.

import { languageTags, lookUpLanguage, Texts } from '../texts/texts.js';
import { error, ok, type Outcome } from './outcome.js';

/**
 * RFC 6856 §2.1. Names, passwords and messages are octets here in any mode, so there is nothing to
 * switch; it is accepted after the login too, because Outlook sends it there.
 */
export function utf8(): Outcome {
  return ok('utf8-on');
}

/** @param tag a language tag, `*` for the default, or null to list them */
export function lang(tag: string | null): Outcome {
  if (tag === null) {
    return {
      kind: 'listing',
      text: 'languages',
      lines: languageTags().map((known) => `${known} ${new Texts(known).format('language')}`),
    };
  }
  const found = lookUpLanguage(tag);
  return found === null ? error('unknown-language') : { kind: 'change-language', tag: found };
}
