// What a peer may send, for fast-check to draw and to shrink: commands made by a grammar, bent by edits, and plain noise. Text is
// latin1: a character is an octet. The first choice of everything is the plainest, which is what a counterexample shrinks to.

import fc from 'fast-check';

export interface Account {
  readonly address: string;
  readonly password: string;
}

/**
 * One input: a line as a rule, sometimes a few, sometimes a piece of one. Now and then it is nothing, so that in a list an input that
 * does not matter can shrink to that: of a list fast-check leaves out only the first ones.
 */
export function arbitraryInput(account: Account): fc.Arbitrary<string> {
  const base64Text = arbitraryBase64(account);
  const line = joined(arbitraryCommand(account, base64Text), lineEnd);
  const input = fc.oneof(
    { withCrossShrink: true },
    { weight: 60, arbitrary: line },
    { weight: 25, arbitrary: edited(line) },
    {
      weight: 5,
      arbitrary: fc.array(line, { minLength: 2, maxLength: 8, size: 'max' }).map(join),
    },
    { weight: 4, arbitrary: joined(base64Text, lineEnd) },
    { weight: 5, arbitrary: joined(noise(39), lineEnd) },
    { weight: 1, arbitrary: joined(longLine, lineEnd) },
  );
  return fc.oneof(
    { withCrossShrink: true },
    { weight: 1, arbitrary: nothing },
    { weight: 199, arbitrary: input },
  );
}

const keywords =
  'NOOP CAPA STLS USER PASS AUTH APOP UTF8 LANG STAT LIST RETR DELE RSET TOP UIDL QUIT'.split(' ');
const withNumber = 'LIST RETR DELE TOP UIDL'.split(' ');
/** Of other protocols, and what is nearly one of ours. */
const strangers = ['XYZZY', 'EHLO', 'GET', 'A:B', 'LISTE', 'RET', 'A1', 'LOGIN', '-ERR', '+OK', ''];
const number = fc.constantFrom(
  ...'1 2 3 4 0 00000000001 -1 +1 1.0 1e3 0x1 99 2147483647 2147483648 4294967297 18446744073709551617'.split(
    ' ',
  ),
);
const oddWord = fc.constantFrom(
  ...['x', '*', '=', '%s%n', "';--", '../..', '\t', '\0', '\xff', '\xb2', '1\0'],
);
const nothing = fc.constant('');
const octet = fc.nat(255);
/** Where to edit a text whose length is not known yet. */
const place = fc.nat(0xffff);

const lineEnd = oneOf([
  [66, '\r\n'],
  [8, '\n'],
  ...['', '\r', '\r\r\n', '\n\n', '\n\r'].map((text): [number, string] => [1, text]),
]);

function arbitraryCommand(
  account: Account,
  base64Text: fc.Arbitrary<string>,
): fc.Arbitrary<string> {
  const commandOf = (keyword: string): fc.Arbitrary<string> =>
    joined(
      oneOf([
        [6, keyword],
        [1, keyword.toLowerCase()],
        [1, `${keyword[0] ?? ''}${keyword.slice(1).toLowerCase()}`],
      ]),
      fc.oneof(
        { weight: 8, arbitrary: arbitraryArguments(keyword, account, base64Text) },
        { weight: 1, arbitrary: nothing },
        { weight: 1, arbitrary: oddWord.map((word) => ` ${word}`) },
      ),
    );
  return fc.oneof(...keywords.map((keyword) => ({ weight: 11, arbitrary: commandOf(keyword) })), {
    weight: keywords.length,
    arbitrary: fc.oneof(...strangers.map((keyword) => commandOf(keyword))),
  });
}

function arbitraryArguments(
  keyword: string,
  { address, password }: Account,
  base64Text: fc.Arbitrary<string>,
): fc.Arbitrary<string> {
  if (withNumber.includes(keyword)) {
    const spaces = oneOf([
      [7, ' '],
      [1, '  '],
    ]);
    return fc.array(joined(spaces, number), { maxLength: 2, size: 'max' }).map(join);
  }
  const orNoise = (right: string): fc.Arbitrary<string> =>
    fc
      .oneof({ weight: 2, arbitrary: fc.constant(right) }, { weight: 1, arbitrary: noise(11) })
      .map((word) => ` ${word}`);
  switch (keyword) {
    case 'USER':
      return orNoise(address);
    case 'PASS':
      return orNoise(password);
    case 'AUTH':
      return joined(
        fc.constantFrom(
          ...[' PLAIN', ' plain', ' LOGIN', ' SCRAM-SHA-256', ' SCRAM-SHA-256-PLUS', ' CRAM-MD5'],
          ' ',
        ),
        fc.oneof(
          nothing,
          base64Text.map((text) => ` ${text}`),
        ),
      );
    case 'APOP':
      return fc.constant(` ${address} c4c9334bac560ecc979e58001b3e22fb`);
    case 'LANG':
      return fc.constantFrom(' en', ' de', ' DE-at', ' *', ' fr', ' x-');
    default:
      return fc.oneof(
        { weight: 5, arbitrary: nothing },
        { weight: 1, arbitrary: oddWord.map((word) => ` ${word}`) },
      );
  }
}

function arbitraryBase64({ address, password }: Account): fc.Arbitrary<string> {
  return fc.oneof(
    fc.constant('='),
    fc.constant('*'),
    fc.constant(base64(`\0${address}\0${password}`)),
    fc.constant(base64(`${address}\0${address}\0${password}`)),
    fc.constantFrom(base64(address), base64(password)),
    noise(11).map((nonce) => base64(`n,,n=${address},r=${base64(nonce)}`)),
    noise(29).map((text) => base64(text).replace(/[/+]/g, '_')),
    noise(29).map(base64),
  );
}

function noise(longest: number): fc.Arbitrary<string> {
  return fc
    .array(octet, { maxLength: longest, size: 'max' })
    .map((octets) => Buffer.from(octets).toString('latin1'));
}

/** Lengths around each limit, one in a hundred beyond all patience. */
const longLine = fc
  .tuple(
    fc.constantFrom('', 'NOOP ', 'USER ', 'AUTH PLAIN ', 'PASS '),
    oneOf([
      ...[253, 510, 1024, 1024, 1024, 12_288].map((limit): [number, number] => [16, limit]),
      [1, 65_536],
    ]),
    fc.integer({ min: -3, max: 3 }),
    fc.constantFrom('A', ' ', '\0', '\xff', '1'),
  )
  .map(([start, limit, more, filler]) => start.padEnd(limit + more, filler));

type Edit = (text: string, at: number) => string;

/** What changes with each edit is drawn; what it is done to is known later. */
const edits: readonly fc.Arbitrary<Edit>[] = [
  fc.constant((text, at) => splice(text, at, 1, '')),
  fc.constant((text, at) => splice(text, at, 0, '\0')),
  fc.constant((text, at) => splice(text, at, 0, ' ')),
  fc.constant((text, at) => splice(text, at, 0, '\r\n')),
  fc.constant((text, at) => splice(text, at, 0, text.slice(at))),
  fc.constant((text, at) => text.slice(0, at)),
  fc.constant((text, at) => text.slice(at)),
  octet.map((code) => (text, at) => splice(text, at, 1, String.fromCharCode(code))),
  noise(5).map((what) => (text, at) => splice(text, at, 0, what)),
  number.map((by) => (text) => text.replace(/[0-9]+/, by)),
  fc.integer({ min: 1, max: 3 }).map((count) => (text) => text.replace(/ /g, ' '.repeat(count))),
  fc.nat(1099).map((length) => (text, at) => splice(text, at, 0, 'A'.repeat(length))),
];

function edited(text: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const edit = fc.tuple(fc.oneof(...edits), place);
  return fc
    .tuple(text, fc.array(edit, { minLength: 1, maxLength: 3, size: 'max' }))
    .map(([plain, drawn]) =>
      drawn.reduce((bent, [change, at]) => change(bent, at % (bent.length + 1)), plain),
    );
}

function splice(text: string, at: number, removed: number, inserted: string): string {
  return text.slice(0, at) + inserted + text.slice(at + removed);
}

/** One of a few values, each so many times as likely as a weight of 1. */
function oneOf<T>(choices: readonly (readonly [weight: number, value: T])[]): fc.Arbitrary<T> {
  return fc.constantFrom(
    ...choices.flatMap(([weight, value]) => Array.from({ length: weight }, () => value)),
  );
}

function joined(...parts: readonly fc.Arbitrary<string>[]): fc.Arbitrary<string> {
  return fc.tuple(...parts).map(join);
}

function join(parts: readonly string[]): string {
  return parts.join('');
}

function base64(text: string): string {
  return Buffer.from(text, 'latin1').toString('base64');
}
