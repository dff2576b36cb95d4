// Draws what a server sends: replies that are right, replies that were tampered with, and ends in the middle of one.

import fc from 'fast-check';

/** What is read from the stream, one after the other. */
export type Reading = 'status' | 'sasl' | 'line' | 'lines' | 'message' | 'capabilities' | 'listing';

export interface DrawnStream {
  readonly readings: readonly Reading[];
  /** latin1 */
  readonly text: string;
  /** Lengths of the pieces it comes in, again and again. */
  readonly pieces: readonly number[];
}

/** What replies are made of, and what makes them go wrong. */
export const fragments = [
  ...[
    '\r\n',
    '\r',
    '\n',
    '.',
    '..',
    '\r\n.',
    '\r\n.\r',
    '\r\n.\r\n',
    '.\r\n',
    '\r\r\n.\r\n',
    '\n.\n',
  ],
  ...[
    '+OK',
    '-ERR',
    '+OK\r\n',
    '-ERR\r\n',
    '+ok [A/b] c\r\n',
    '+',
    '+ ',
    '+ Zm9v\r\n',
    '+OKAY\r\n',
  ],
  ...['[', ']', '[]', '[SYS/TEMP]', ' ', '  ', '\t', '\0', '\xff', '\x7f', '\x80\x81'],
  ...['0', '1', '2', '10', '01', '-1', '+1', '2147483647', '2147483648', '4294967297', '1e3', '１'],
  ...[
    '1 5\r\n',
    '2 5\r\n',
    '1 a\r\n',
    '1 b\r\n',
    '2 a\r\n',
    '0 1\r\n',
    'x',
    'STLS\r\n',
    'SASL PLAIN\r\n',
  ],
] as const;

const lengths = [20, 70, 71, 511, 512, 513, 1023, 1024, 1025, 12_287, 12_288, 12_289, 16_384];
const long = fc
  .tuple(fc.constantFrom(...lengths), fc.constantFrom('x', ' ', '.', '1', '\r', '\n', 'a b'))
  .map(([length, what]) => what.repeat(length).slice(0, length));
const octets = fc.uint8Array({ maxLength: 12 }).map((all) => Buffer.from(all).toString('latin1'));
const fragment = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(...fragments) },
  { weight: 3, arbitrary: octets },
  { weight: 1, arbitrary: long },
);
const noise = fc.array(fragment, { maxLength: 8 }).map((all) => latin1(all.join('')));
const words = fc
  .array(fragment, { maxLength: 3 })
  .map((all) => all.join('').replace(/[\r\n]/g, ''));

const status = fc
  .tuple(fc.constantFrom('+OK', '-ERR', '+ok'), fc.constantFrom('', ' ', ' [IN-USE] ', ' x'), words)
  .map(([indicator, gap, text]) => `${indicator}${gap}${gap === '' ? '' : text}\r\n`);
const body = noise.map((text) => stuff(text));
const ok = fc.constantFrom('+OK\r\n', '+OK 3 messages\r\n');
const listed = (value: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc
    .array(fc.tuple(fc.integer({ min: 1, max: 6 }), value), { maxLength: 8 })
    .map((all) => `${all.map(([number, text]) => `${number} ${text}\r\n`).join('')}.\r\n`);
const sizes = fc.constantFrom('1', '100', '-5', '99999999999999999999', '5 more', 'x', '');
const ids = fc.constantFrom(
  'a',
  'b',
  'c',
  'id-1',
  '!~',
  'with space',
  'd  ',
  'e'.repeat(70),
  'f'.repeat(71),
);
const capabilities = fc
  .array(fc.constantFrom('USER', 'UIDL', 'sasl PLAIN  X', 'SASL', '', ' ', 'PIPELINING'), {
    maxLength: 6,
  })
  .map((all) => `+OK\r\n${all.map((line) => `${line}\r\n`).join('')}.\r\n`);

const replies: Readonly<Record<Reading, fc.Arbitrary<string>>> = {
  status,
  sasl: fc.oneof(
    status,
    fc.base64String({ maxLength: 20 }).map((text) => `+ ${text}\r\n`),
  ),
  line: fc
    .oneof({ weight: 3, arbitrary: words }, { weight: 1, arbitrary: long })
    .map((text) => `${text.replace(/[\r\n]/g, 'x')}\r\n`),
  lines: body,
  message: body,
  capabilities: fc.oneof({ weight: 3, arbitrary: capabilities }, { weight: 1, arbitrary: status }),
  listing: fc.tuple(ok, listed(sizes), ok, listed(ids), status).map((parts) => parts.join('')),
};

const reading = fc.constantFrom<Reading>(...(Object.keys(replies) as Reading[]));
const step = reading.chain((kind) => replies[kind].map((text) => ({ kind, text })));

/** One change of a text: at a place, given in thousandths, some octets go and others come. */
export const tampering = fc.record({
  at: fc.integer({ min: 0, max: 1000 }),
  without: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 12 })),
  with: fc.oneof(fc.constant(''), fragment.map(latin1)),
});
export type Tampering = typeof tampering extends fc.Arbitrary<infer Value> ? Value : never;

export function tamper(text: string, { at, without, with: put }: Tampering): string {
  const place = Math.floor((text.length * at) / 1000);
  return text.slice(0, place) + put + text.slice(place + without);
}

export const drawnStream: fc.Arbitrary<DrawnStream> = fc
  .record({
    steps: fc.array(step, { minLength: 1, maxLength: 5 }),
    tamperings: fc.array(tampering, { maxLength: 2 }),
    tail: fc.oneof({ weight: 3, arbitrary: fc.constant('') }, { weight: 1, arbitrary: noise }),
    keep: fc.oneof(fc.constant(1000), fc.integer({ min: 0, max: 1000 })),
    pieces: fc.array(fc.constantFrom(1, 2, 3, 5, 7, 64, 1021, 16_384), {
      minLength: 1,
      maxLength: 6,
    }),
  })
  .map(({ steps, tamperings, tail, keep, pieces }) => {
    const drawn = steps.map(({ text }) => text).join('') + tail;
    const whole = latin1(tamperings.reduce(tamper, drawn));
    return {
      readings: steps.map(({ kind }) => kind),
      text: whole.slice(0, Math.floor((whole.length * keep) / 1000)),
      pieces,
    };
  });

/** Octets, each a character. */
function latin1(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}

/** As a right server sends it. */
function stuff(text: string): string {
  const stuffed = `\r\n${text}`.replace(/\r\n\./g, '\r\n..').slice(2);
  return `${stuffed}${stuffed === '' || stuffed.endsWith('\r\n') ? '' : '\r\n'}.\r\n`;
}
