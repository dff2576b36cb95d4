import t from 'tap';
import { placeGiven, uniqueIdListGiven } from '../../../../src/maildrop/place/place-given.js';

const home = '/home/ann';

/** What Dovecot 2.3 itself does with these locations is in test/interop/dovecot-locations.test.ts. */
const given: readonly (readonly [
  maildrop: string,
  path: string,
  own: string | null,
  list: string | null,
])[] = [
  ['/var/mail/ann/', '/var/mail/ann', null, null],
  ['example.org/ann/', 'example.org/ann', null, null],
  ['/var/mail/a:b', '/var/mail/a:b', null, null],
  ['~', '/home/ann', '/home/ann', null],
  ['maildir:/var/mail/ann', '/var/mail/ann', null, null],
  ['Maildir:~/Maildir', '/home/ann/Maildir', '/home/ann', null],
  ['maildir:~/Maildir:', '/home/ann/Maildir', '/home/ann', null],
  ['maildir:~/Maildir:INDEX=/x:UTF-8', '/home/ann/Maildir', '/home/ann', null],
  ['maildir:~/Maildir:INBOX=~/in', '/home/ann/in', '/home/ann', null],
  ['maildir:~/a:INBOX=/b::c', '/b:c', null, null],
  ['maildir:~/Maildir:CONTROL=~/c/', '/home/ann/Maildir', '/home/ann', '/home/ann/c/.INBOX'],
  ['maildir:~/m:LAYOUT=fs:CONTROL=/c/ann', '/home/ann/m', '/home/ann', '/c/ann/INBOX'],
];

for (const [maildrop, path, own, list] of given) {
  t.test(`"${maildrop}" of an account source is ${path}`, (t) => {
    t.match(placeGiven(maildrop, home), { path, own });
    t.equal(uniqueIdListGiven(maildrop, home), list);
    t.end();
  });
}

t.test('what an account source gives is refused where Dovecot would have other mail', (t) => {
  for (const [maildrop, why] of [
    ['mbox:~/mail', /location "mbox:~\/mail" is no Maildir/],
    ['sdbox:~/sdbox', /is no Maildir/],
    ['auto:~/mail', /is no Maildir/],
    ['maildir:', /names no directory/],
    ['maildir::INBOX=~/in', /names no directory/],
    ['maildir:INBOX=~/in', /names no directory/],
    ['maildir:~/m:INBOX=', /lacks a path/],
    ['maildir:~/m:CONTROL', /lacks a path/],
    ['maildir:~/m:LAYOUT=index', /has "LAYOUT=index", which cannot be served/],
    ['maildir:~/m:LAYOUT=fs:DIRNAME=mm', /has "DIRNAME=mm"/],
    ['maildir:~/m:inbox=~/in', /has "inbox=~\/in"/],
    ['maildir:~bob/m', /in another user's home/],
    ['a/../b', /is no path/],
    ['/', /is no path/],
    ['a\nb', /is no path/],
    ['maildir:~/m:CONTROL=~/../bob', /is no path/],
  ] as const) {
    t.throws(
      () => [placeGiven(maildrop, home), uniqueIdListGiven(maildrop, home)],
      { message: why },
      maildrop,
    );
  }
  t.throws(() => placeGiven('~/Maildir', null), { message: /gives no home/ });
  t.end();
});
