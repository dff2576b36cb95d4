import t from 'tap';
import {
  defaultTexts,
  languageTags,
  lookUpLanguage,
  Texts,
} from '../../../../src/pop3-server/texts/texts.js';

t.test('every value is put in where the text names it, and a missing one is nothing', (t) => {
  const texts = defaultTexts();
  t.equal(texts.format('listing', { count: 2, octets: 300 }), '2 messages, 300 octets');
  t.equal(texts.format('listing', { count: 2 }), '2 messages,  octets');
  t.equal(texts.format('reset', { count: '{count}' }), 'Marks removed, {count} messages');
  t.end();
});

t.test('what is one is singular, in every language', (t) => {
  for (const [tag, one, none, many] of [
    ['en', '1 message removed', '0 messages removed', '21 messages removed'],
    ['de', '1 Nachricht entfernt', '0 Nachrichten entfernt', '21 Nachrichten entfernt'],
  ] as const) {
    const texts = new Texts(tag);
    t.ok(texts.format('messages-removed', { count: 1 }).endsWith(`, ${one}`), `${tag}: one`);
    t.ok(texts.format('messages-removed', { count: 0 }).endsWith(`, ${none}`), `${tag}: none`);
    t.ok(texts.format('messages-removed', { count: 21 }).endsWith(`, ${many}`), `${tag}: many`);
  }
  t.end();
});

t.test('a text that a language lacks is its own name, so that no reply is empty', (t) => {
  t.equal(defaultTexts().format('no-such-text'), 'no-such-text');
  t.end();
});

t.test('there is a file for every language that is listed', (t) => {
  t.strictSame(languageTags(), ['de', 'en']);
  for (const tag of languageTags()) t.match(new Texts(tag).format('language'), /^\S+$/);
  t.throws(() => new Texts('fr'), { code: 'ENOENT' });
  t.end();
});

for (const [tag, found] of [
  ['*', 'en'],
  ['en', 'en'],
  ['EN-us', 'en'],
  ['de-Latn-AT', 'de'],
  ['fr', null],
  ['d', null],
  ['de_AT', null],
  ['', null],
  ['-de', null],
  ['../en', null],
] as const) {
  t.test(`the language for "${tag}" is ${String(found)}`, (t) => {
    t.equal(lookUpLanguage(tag), found);
    t.end();
  });
}
