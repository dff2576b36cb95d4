import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { PathTemplate } from '../../../../src/maildrop/place/path-template.js';
import { fixedDraws } from '../../../support/mail/arbitrary-message.js';
import { holds } from '../../../support/suite/property.js';

const identity = { user: 'ann', domain: 'example.org' };
const home = '/home/ann';

const templates: readonly (readonly [template: string, path: string, own: string, root: string])[] =
  [
    ['{domain}/{user}/INBOX', 'example.org/ann/INBOX', 'example.org/ann', '.'],
    ['{domain}/{user}', 'example.org/ann', 'example.org/ann', '.'],
    [
      '/var/vmail/{domain}/{user}',
      '/var/vmail/example.org/ann',
      '/var/vmail/example.org/ann',
      '/var/vmail',
    ],
    [
      '/var//vmail/./{address}/',
      '/var/vmail/ann@example.org',
      '/var/vmail/ann@example.org',
      '/var/vmail',
    ],
    ['{home}/Maildir', '/home/ann/Maildir', '/home/ann', '/home/ann/Maildir'],
    ['{home}', '/home/ann', '/home/ann', '/home/ann'],
    ['mail/u-{user}.d/{domain}/x/y', 'mail/u-ann.d/example.org/x/y', 'mail/u-ann.d', '.'],
    ['/{user}', '/ann', '/ann', '/'],
  ];

for (const [template, path, own, root] of templates) {
  t.test(`${template} is ${path}`, (t) => {
    t.same(new PathTemplate(template).expand({ identity, home }), { path, own, root });
    t.end();
  });
}

t.test('names are encoded as directories', (t) => {
  const { path } = new PathTemplate('{domain}/{user}').expand({
    identity: { user: '../é', domain: '.org' },
    home: null,
  });
  t.equal(path, Buffer.from('%2Eorg/%2E.%2Fé').toString('latin1'));
  t.end();
});

t.test('a template that could be two users’ path, or no path, is refused', (t) => {
  for (const [template, why] of [
    ['', /every user would get the same path/],
    ['{domain}/INBOX', /every user would get the same path/],
    ['{user}-{domain}', /two words in "{user}-{domain}" could be two users' path/],
    ['{domain}{user}', /two words/],
    ['{user}@{domain}', /use {address}/],
    ['{User}', /unknown word in "{User}": the words are {user} {domain} {address} {home}/],
    ['{user', /unknown word/],
    ['user}', /unknown word/],
    ['%d/%n', /every user/],
    ['../{user}/{domain}', /".."/],
    ['x{home}', /nothing but a slash may stand beside it/],
    ['mail/{home}', /must stand at the beginning/],
    ['/{home}', /must stand at the beginning/],
    ['{domain}/{user}\n', /control character/],
  ] as const) {
    t.throws(() => new PathTemplate(template), { name: 'UsageError', message: why }, template);
  }
  t.end();
});

t.test('no template gives two names one path', (t) => {
  const name = fc.string({
    unit: fc.constantFrom('.', '/', '%', '2', 'E', '@', 'a', '-'),
    minLength: 1,
    maxLength: 5,
  });
  const domain = name.map((text) => text.replaceAll('@', ''));
  for (const text of ['{domain}/{user}', '{address}', 'x-{user}/{domain}.d']) {
    const template = new PathTemplate(text);
    const pathOf = (user: string, of: string): string =>
      template.expand({ identity: { user, domain: of }, home: null }).path;
    holds(
      t,
      fc.property(name, domain, name, domain, (u1, d1, u2, d2) => {
        if (d1 === '' || d2 === '' || pathOf(u1, d1) !== pathOf(u2, d2)) return;
        const canonical = (user: string, of: string): string => `${user}@${of}`.toLowerCase();
        assert.equal(canonical(u1, d1), canonical(u2, d2));
      }),
      fixedDraws,
    );
  }
  t.end();
});

t.test('a name too long as a directory, or a home that is not known, is a refusal', (t) => {
  const long = { user: 'x'.repeat(250), domain: 'example.org' };
  t.throws(
    () => new PathTemplate('{address}').expand({ identity: long, home }),
    /cannot be a directory/,
  );
  const template = new PathTemplate('{home}/Maildir');
  t.throws(() => template.expand({ identity, home: null }), /gives no home for "{home}\/Maildir"/);
  for (const odd of ['/home/../root', '/', '.', 'a\0b']) {
    t.throws(() => template.expand({ identity, home: odd }), /home is no path/, odd);
  }
  t.end();
});
