import t from 'tap';
import { Strangers } from '../../../../src/launcher/fairness/strangers.js';

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

function strangersOf(...sessions: readonly Session[]): Strangers<Session> {
  const strangers = new Strangers<Session>();
  for (const each of sessions) strangers.add(each);
  return strangers;
}

t.test('of strangers from everywhere the oldest gives way', (t) => {
  const strangers = strangersOf(session('1', 'a'), session('2', 'b'), session('3', 'c'));
  t.equal(strangers.findFor(session('new', 'd'))?.name, '1');
  t.end();
});

t.test('the source that has most of them loses its oldest', (t) => {
  const strangers = strangersOf(
    session('user', 'a'),
    session('1', 'b'),
    session('2', 'b'),
    session('3', 'b'),
  );
  t.equal(strangers.findFor(session('new', 'c'))?.name, '1');
  t.end();
});

t.test('a source that comes again pushes out its own, not those of others', (t) => {
  const strangers = strangersOf(session('user', 'a'), session('other', 'b'));
  t.equal(strangers.findFor(session('again', 'b'))?.name, 'other');
  t.end();
});

t.test('nobody of a higher level gives way', (t) => {
  const strangers = strangersOf(session('trusted', 'a', 5), session('also', 'a', 2));
  t.equal(strangers.findFor(session('new', 'b')), undefined);
  t.equal(strangers.findFor(session('new', 'b', 2))?.name, 'also');
  t.equal(strangers.findFor(session('new', 'b', 5))?.name, 'trusted');
  t.end();
});

t.test('those that logged in or ended do not give way', (t) => {
  const [one, two] = [session('1', 'a'), session('2', 'a')];
  const strangers = strangersOf(one, two);
  strangers.delete(one);
  strangers.delete(one);
  t.equal(strangers.findFor(session('new', 'b')), two);
  strangers.delete(two);
  t.equal(strangers.findFor(session('new', 'b')), undefined);
  t.end();
});
