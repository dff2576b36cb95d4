import t from 'tap';
import { placeOf } from '../../../../src/auth/dovecot/mail-location.js';

t.test("the Maildir is where Dovecot's mail field has it", (t) => {
  for (const [fields, maildrop] of [
    [{ home: '/home/a' }, null],
    [{ home: '/home/a', mail: 'maildir:~/Maildir' }, '/home/a/Maildir'],
    [{ home: '/home/a', mail: 'maildir:~/Maildir:LAYOUT=fs:INDEX=/x' }, '/home/a/Maildir'],
    [{ mail: 'maildir:/srv/a' }, '/srv/a'],
    [{ mail: '/srv/a' }, '/srv/a'],
    [{ home: '/home/a', mail: '~' }, '/home/a'],
    [{ home: '/home/a', mail: 'maildir:' }, null],
  ] as const) {
    const { home = null } = fields as { readonly home?: string };
    t.same(placeOf(new Map(Object.entries(fields))), { home, maildrop }, JSON.stringify(fields));
  }
  t.throws(() => placeOf(new Map([['mail', 'mbox:~/mail']])), { isLasting: true, message: /mbox/ });
  t.throws(() => placeOf(new Map([['mail', 'maildir:~/m']])), { message: /no home/ });
  t.end();
});
