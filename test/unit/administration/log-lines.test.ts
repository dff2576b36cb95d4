import t from 'tap';
import { tryLogLine } from '../../../src/administration/log-lines.js';

for (const [title, text, time] of [
  ['alone', 'pop3d: failure session=a.1 peer=::1 user="x y\\"z" mechanism=USER', ''],
  [
    'with --log-time',
    '2026-11-29T10:36:33.123Z pop3d: failure session=a.1 peer=::1 user="x y\\"z" mechanism=USER',
    '2026-11-29T10:36:33.123Z',
  ],
  [
    'from the journal',
    'Nov 29 10:36:33 host pop3d[42]: failure session=a.1 peer=::1 user="x y\\"z" mechanism=USER',
    'Nov 29 10:36:33 host',
  ],
  [
    'in JSON',
    '{"program":"pop3d","event":"failure","session":"a.1","peer":"::1","user":"x y\\"z","mechanism":"USER","time":"T"}',
    'T',
  ],
] as const) {
  t.test(`a line of pop3d ${title} has its members`, (t) => {
    const line = tryLogLine(text);
    t.equal(line?.event, 'failure');
    t.equal(line?.time, time);
    const wanted = { session: 'a.1', peer: '::1', user: 'x y"z', mechanism: 'USER' };
    for (const [name, value] of Object.entries(wanted)) t.equal(line?.members.get(name), value);
    t.end();
  });
}

t.test('lines of others, and what only looks like one, are none', (t) => {
  for (const text of [
    'tcpsrun: connect peer=::1 port=1 level=1 pid=2',
    'pop3d: failure session=a user="x',
    'pop3d: internal error: x',
    '{"program":"pop3d","event"',
    '',
  ]) {
    t.equal(tryLogLine(text), null, text);
  }
  t.end();
});
