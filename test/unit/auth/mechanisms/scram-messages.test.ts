import fc from 'fast-check';
import t from 'tap';
import {
  formatClientFirstBare,
  formatClientFinalWithoutProof,
  formatGs2Header,
  formatServerFirst,
  tryClientFinal,
  tryClientFirst,
  tryServerFinal,
  tryServerFirst,
} from '../../../../src/auth/mechanisms/scram-messages.js';

const nonce = fc.stringMatching(/^[!-+\--~]{1,40}$/);
const octets = fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes));
const name = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 30 })
  .filter((text) => !text.includes('\0'));

t.test('what the client formats, the server reads', (t) => {
  fc.assert(
    fc.property(name, nonce, octets, octets, (username, text, binding, proof) => {
      const bare = formatClientFirstBare(username, text);
      const header = formatGs2Header({ flag: 'p', type: 'tls-exporter' });
      t.match(tryClientFirst(Buffer.from(header + bare)), {
        username,
        nonce: text,
        bare,
        gs2Header: 'p=tls-exporter,,',
        authzid: null,
      });
      const withoutProof = formatClientFinalWithoutProof(binding, text);
      t.same(tryClientFinal(Buffer.from(`${withoutProof},p=${proof.toString('base64')}`)), {
        binding,
        nonce: text,
        proof,
        withoutProof,
      });
    }),
    { seed: 1, numRuns: 200 },
  );
  t.end();
});

t.test('what the server formats, the client reads', (t) => {
  fc.assert(
    fc.property(
      nonce,
      octets,
      fc.integer({ min: 1, max: 999_999_999 }),
      (text, salt, iterations) => {
        const first = { nonce: text, salt, iterations };
        t.same(tryServerFirst(Buffer.from(formatServerFirst(first))), first);
        t.same(tryServerFinal(Buffer.from(`v=${salt.toString('base64')}`)), salt);
      },
    ),
    { seed: 1, numRuns: 200 },
  );
  t.end();
});

t.test('no octets make a parser throw, and a megabyte is refused', (t) => {
  const parsers = [tryClientFirst, tryServerFirst, tryClientFinal, tryServerFinal];
  const pieces = fc.constantFrom(
    'n,,',
    'y,,',
    'p=',
    'n=',
    'r=',
    'c=',
    's=',
    'i=',
    'v=',
    ',',
    '=',
    'AAAA',
    '\0',
    '9',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        octets,
        fc.array(pieces).map((list) => Buffer.from(list.join(''))),
      ),
      (message) => {
        for (const parse of parsers) parse(message);
      },
    ),
    { seed: 1, numRuns: 2000 },
  );
  const long = Buffer.alloc(1 << 20, 'n,,n=a,');
  t.ok(parsers.every((parse) => parse(long) === null));
  t.end();
});
