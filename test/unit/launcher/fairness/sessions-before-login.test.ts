import t from 'tap';
import { SessionsBeforeLogin } from '../../../../src/launcher/fairness/sessions-before-login.js';

interface Session {
  readonly name: string;
  readonly level: number;
  readonly source: string;
  readonly number: number;
}

let count = 0;

function session(name: string, source: string, level = 1): Session {
  return { name, source, level, number: count++ };
}

function startedInOrder(...sessions: readonly Session[]): SessionsBeforeLogin<Session> {
  const started = new SessionsBeforeLogin<Session>();
  for (const [index, each] of sessions.entries()) started.add(each, index);
  return started;
}

t.test('of sessions from everywhere the oldest gives way', (t) => {
  const started = startedInOrder(session('1', 'a'), session('2', 'b'), session('3', 'c'));
  t.equal(started.findFor(session('new', 'd'))?.session.name, '1');
  t.end();
});

t.test('the source that has most of them loses its oldest', (t) => {
  const started = startedInOrder(
    session('user', 'a'),
    session('1', 'b'),
    session('2', 'b'),
    session('3', 'b'),
  );
  t.equal(started.findFor(session('new', 'c'))?.session.name, '1');
  t.end();
});

t.test('a source that comes again pushes out its own, not those of others', (t) => {
  const started = startedInOrder(session('user', 'a'), session('other', 'b'));
  t.equal(started.findFor(session('again', 'b'))?.session.name, 'other');
  t.end();
});

t.test('nobody of a higher level gives way', (t) => {
  const started = startedInOrder(session('trusted', 'a', 5), session('also', 'a', 2));
  t.equal(started.findFor(session('new', 'b')), undefined);
  t.equal(started.findFor(session('new', 'b', 2))?.session.name, 'also');
  t.equal(started.findFor(session('new', 'b', 5))?.session.name, 'trusted');
  t.end();
});

t.test('those that logged in or ended do not give way', (t) => {
  const [one, two] = [session('1', 'a'), session('2', 'a')];
  const started = startedInOrder(one, two);
  started.delete(one);
  started.delete(one);
  t.equal(started.findFor(session('new', 'b'))?.session, two);
  started.delete(two);
  t.equal(started.findFor(session('new', 'b')), undefined);
  t.end();
});
