import t from 'tap';
import { rowReader } from '../../../../src/auth/accounts/row-columns.js';

const nothing = {
  isActive: true,
  maildrop: null,
  home: null,
  networks: null,
  isReadOnly: false,
  days: null,
  label: null,
};

t.test('the first column is the password, or the one of that name', (t) => {
  t.same(rowReader(['pw', 'other'])(['x', 'y']), { ...nothing, password: 'x' });
  t.same(rowReader(['home', 'Password'])(['/home/ann', 'x']), {
    ...nothing,
    password: 'x',
    home: '/home/ann',
  });
  t.same(rowReader(['home'])(['x']), { ...nothing, password: 'x' }, 'it has one meaning');
  t.equal(rowReader(['password'])([null]), null, 'NULL is no password');
  t.end();
});

t.test('columns are read however a database writes truth and numbers', (t) => {
  const read = rowReader(['password', 'MAILDROP', 'networks', 'read_only', 'days', 'label']);
  for (const truth of [1, 1n, true, 'Y', 't', 'true', Buffer.from('1')]) {
    t.match(read(['x', 'm', 'n', truth, '30', 'phone']), {
      maildrop: 'm',
      networks: 'n',
      isReadOnly: true,
      days: 30,
      label: 'phone',
    });
  }
  for (const untruth of [0, 0n, false, 'N', null, undefined, '']) {
    t.match(read(['x', '', '', untruth, null, '']), nothing, 'and empty texts say nothing');
  }
  t.end();
});

t.test('a value that cannot be understood is a lasting fault', (t) => {
  const read = rowReader(['password', 'read_only', 'days']);
  for (const values of [
    ['x', 'maybe', null],
    ['x', 0, 0],
    ['x', 0, -1],
    ['x', 0, 1.5],
    ['x', 0, 'soon'],
  ]) {
    t.throws(() => read(values), { isLasting: true, message: /read_only|days/ });
  }
  t.end();
});
