import t from 'tap';
import { verifyPassword } from '../../../../src/auth/stored/password-hash.js';
import { parseStoredPassword } from '../../../../src/auth/stored/stored-password.js';
import { typicalPassword } from '../../../../src/auth/stored/typical-password.js';

const cheap = `$2y$05$${'a'.repeat(21)}e${'a'.repeat(31)}`;
const other = `$2y$05$${'b'.repeat(21)}e${'b'.repeat(31)}`;
const costly = cheap.replace('$05$', '$10$');

t.test('the most frequent scheme and cost is typical, the first of its kind', (t) => {
  t.equal(typicalPassword([costly, cheap, '{PLAIN}x', other]), cheap);
  t.equal(typicalPassword([costly, '{PLAIN}x']), costly);
  t.end();
});

t.test('what cannot be verified is passed over', (t) => {
  const unusable = ['{MD5}x', '', '$1$a$b', costly.replace('$10$', '$31$')];
  t.equal(typicalPassword([...unusable, cheap]), cheap);
  t.end();
});

t.test('without any, it is one that costs as much as new ones and fits nothing', async (t) => {
  const text = typicalPassword([]);
  t.match(text, /^\{ARGON2ID\}\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  t.not(text, typicalPassword([]));
  t.equal(await verifyPassword(parseStoredPassword(text), Buffer.from('')), false);
});
