import t from 'tap';
import { saslprep } from '../../../../src/auth/stored/saslprep.js';

const rows: readonly (readonly [title: string, input: string, output: string | null])[] = [
  // The first five are RFC 4013 §3's.
  ['a soft hyphen is mapped to nothing', 'I\u00adX', 'IX'],
  ['nothing changes in user', 'user', 'user'],
  ['case is preserved', 'USER', 'USER'],
  ['a feminine ordinal becomes a', '\u00aa', 'a'],
  ['a Roman numeral becomes letters', '\u2168', 'IX'],
  ['a bell is prohibited', '\u0007', null],
  ['mixed directions are prohibited', '\u06271', null],
  ['a no-break space becomes a space', 'a\u00a0b', 'a b'],
  ['letter and accent become one', 'e\u0301', '\u00e9'],
  ['nothing at all is prohibited', '', null],
  ['what becomes nothing is prohibited', '\u00ad', null],
  ['a DEL is prohibited', 'a\u007f', null],
];

for (const [title, input, output] of rows) {
  t.test(title, async (t) => {
    const prepared = await saslprep(Buffer.from(input), 'query');
    t.equal(prepared?.toString() ?? null, output);
  });
}

t.test('octets that are not UTF-8 are prohibited', async (t) => {
  t.equal(await saslprep(Buffer.from([0x61, 0xff]), 'query'), null);
});

t.test('a code point new since Unicode 3.2 may be asked for and not stored', async (t) => {
  const text = Buffer.from('\u0221');
  t.same(await saslprep(text, 'query'), text);
  t.equal(await saslprep(text, 'stored'), null);
});
