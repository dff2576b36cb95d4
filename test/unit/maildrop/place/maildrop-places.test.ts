import t from 'tap';
import { unlimited } from '../../../../src/auth/accounts/grant.js';
import { MaildropPlaces } from '../../../../src/maildrop/place/maildrop-places.js';

const ann = { identity: { user: 'ann', domain: 'example.org' }, grant: unlimited };

t.test('without a template a maildrop is domain/user/INBOX', (t) => {
  t.equal(new MaildropPlaces({}).of(ann).path, 'example.org/ann/INBOX');
  t.end();
});

t.test('what the account source says comes before the template', (t) => {
  const places = new MaildropPlaces({ maildrop: '{domain}/{user}' });
  t.equal(
    places.of({ ...ann, grant: { ...unlimited, maildrop: 'elsewhere/ann' } }).path,
    'elsewhere/ann',
  );
  t.end();
});

t.test('a template without the domain serves one domain, and names both users otherwise', (t) => {
  t.throws(
    () => new MaildropPlaces({ maildrop: '{user}' }),
    /--maildrop: "{user}" is one path.*--default-domain/,
  );
  const places = new MaildropPlaces({ maildrop: '{user}', defaultDomain: 'example.org' });
  t.equal(places.of(ann).path, 'ann');
  t.throws(() => places.of({ ...ann, identity: { user: 'ann', domain: 'example.net' } }), {
    message:
      'ann@example.net would have the maildrop of ann@example.org: there is no {domain} in --maildrop',
  });
  t.end();
});

t.test('a bad template is a usage error that names the option', (t) => {
  t.throws(() => new MaildropPlaces({ maildrop: '{x}' }), {
    name: 'UsageError',
    message: /^option --maildrop: unknown word/,
  });
  t.throws(
    () => new MaildropPlaces({ dovecotControl: '{x}' }),
    /^option --dovecot-control: unknown word/,
  );
  t.end();
});
