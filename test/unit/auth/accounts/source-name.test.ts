import t from 'tap';
import { parseSourceName } from '../../../../src/auth/accounts/source-name.js';

t.test('a source is known by the word before its colon, else it is a SQLite file', (t) => {
  for (const [text, kind, place] of [
    ['passdb.sqlite', 'sqlite', 'passdb.sqlite'],
    ['/etc/pop3/a:b', 'sqlite', '/etc/pop3/a:b'],
    ['sqlite:postgresql:x', 'sqlite', 'postgresql:x'],
    ['postgresql://h/db', 'postgresql', 'postgresql://h/db'],
    ['postgres://h/db', 'postgresql', 'postgres://h/db'],
    ['mysql://h/db', 'mysql', 'mysql://h/db'],
    ['mariadb://h/db', 'mysql', 'mariadb://h/db'],
    ['dovecot:/run/dovecot', 'dovecot', '/run/dovecot'],
    ['checkpassword:/bin/checkpassword', 'checkpassword', '/bin/checkpassword'],
  ] as const) {
    t.same(parseSourceName(text), { kind, place }, text);
  }
  t.throws(() => parseSourceName('dovecot:'), { message: /names no/ });
  t.throws(() => parseSourceName(''), { message: /names no/ });
  t.end();
});
