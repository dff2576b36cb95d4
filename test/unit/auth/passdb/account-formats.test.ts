import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import {
  AccountLines,
  csvHeader,
  formatUser,
  type AccountFormat,
  type FileUser,
} from '../../../../src/auth/passdb/account-formats.js';
import { parseStoredPassword } from '../../../../src/auth/stored/parse-stored-password.js';
import { fixedDraws } from '../../../support/mail/arbitrary-message.js';
import { holds } from '../../../support/suite/property.js';

const awkward = fc.string({
  unit: fc.constantFrom('a', 'b', ':', ',', '"', ' ', '!', '#', 'é', '\\'),
  minLength: 1,
  maxLength: 8,
});
const user = fc.record({
  user: awkward.map((text) => `x${text}x`),
  domain: fc.constantFrom('example.org', 'b.example'),
  password: awkward.map((text) => `{PLAIN}${text}`),
  isActive: fc.boolean(),
});

function parse(format: AccountFormat, lines: readonly string[]): unknown {
  const parser = new AccountLines(format, undefined);
  return lines.map((line) => parser.parse(Buffer.from(line).toString('latin1'))).at(-1);
}

/** What a password is once it is taken apart. */
function valueOf(password: string): string {
  const stored = parseStoredPassword(password);
  return stored.kind === 'plain' ? stored.password.toString() : '';
}

for (const format of ['passwd', 'csv'] as const) {
  t.test(`what is written as ${format} is read as the same user`, (t) => {
    holds(
      t,
      fc.property(user, (original) => {
        const formatted = formatUser(original, format);
        if ('why' in formatted) {
          assert.equal(format, 'passwd');
          assert.match(original.user, /:/);
          return;
        }
        const header = format === 'csv' ? [csvHeader] : [];
        const read = parse(format, [...header, formatted.line]) as { is: string; user: FileUser };
        assert.equal(read.is, 'user', formatted.line);
        assert.equal(Buffer.from(read.user.user).toString(), original.user);
        assert.equal(read.user.domain, original.domain);
        assert.equal(read.user.isActive, original.isActive);
        const password = Buffer.from(read.user.password, 'latin1').toString();
        assert.equal(valueOf(password), valueOf(original.password));
      }),
      fixedDraws,
    );
    t.end();
  });
}

t.test('no line makes a parser throw, and what is no user has no password', (t) => {
  const line = fc.string({
    unit: fc.constantFrom(
      'a',
      '@',
      ':',
      ',',
      '"',
      '!',
      '*',
      '{',
      '}',
      '$',
      '\r',
      ' ',
      '\xef',
      '#',
      'x',
    ),
    maxLength: 20,
  });
  holds(
    t,
    fc.property(
      fc.array(line, { maxLength: 4 }),
      fc.constantFrom('passwd', 'shadow', 'csv', undefined),
      (lines, format) => {
        const parser = new AccountLines(format, 'example.org');
        for (const text of lines) {
          const parsed = parser.parse(text);
          assert.ok(['user', 'nothing', 'locked', 'wrong'].includes(parsed.is));
          if (parsed.is === 'user') assert.doesNotMatch(parsed.user.password, /^[*!]/);
        }
      },
    ),
    fixedDraws,
  );
  t.end();
});
