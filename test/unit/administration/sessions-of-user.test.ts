import t from 'tap';
import { SessionsOfUser } from '../../../src/administration/sessions-of-user.js';

const ann = { user: 'ann', domain: 'example.org' };

function add(sessions: SessionsOfUser, event: string, session: string, user?: string): void {
  const members = new Map([
    ['session', session],
    ...(user === undefined ? [] : [['user', user]]),
  ] as [string, string][]);
  sessions.add({ event, members, time: '' });
}

const eventsOf = (sessions: SessionsOfUser): readonly string[] =>
  sessions.found.map(({ lines }) => lines.map(({ event }) => event).join(' '));

t.test('lines of interleaved sessions are put together, those of others left out', (t) => {
  const sessions = new SessionsOfUser(ann, 10, undefined);
  add(sessions, 'connect', '1');
  add(sessions, 'connect', '2');
  add(sessions, 'login', '2', 'bob@example.org');
  add(sessions, 'login', '1', 'Ann@Example.org.');
  add(sessions, 'logout', '2');
  add(sessions, 'message', '1', 'ann@example.org');
  add(sessions, 'logout', '1');
  add(sessions, 'connect', '1');
  t.same(eventsOf(sessions), ['connect login message logout']);
  t.end();
});

t.test('the last ones are kept', (t) => {
  const sessions = new SessionsOfUser(ann, 2, undefined);
  for (const id of ['1', '2', '3']) add(sessions, `failure${id}`, id, 'ann@example.org');
  t.same(eventsOf(sessions), ['failure2', 'failure3']);
  t.end();
});

t.test('failed logins without a domain are those of the default domain', (t) => {
  for (const [defaultDomain, found] of [
    [undefined, ['failure']],
    ['example.org', ['failure']],
    ['example.net', []],
  ] as const) {
    const sessions = new SessionsOfUser(ann, 10, defaultDomain);
    add(sessions, 'failure', '1', 'Ann');
    add(sessions, 'failure', '2', 'bob');
    t.same(eventsOf(sessions), found);
  }
  const sessions = new SessionsOfUser({ user: 'jörg', domain: 'example.org' }, 10, undefined);
  add(sessions, 'failure', '1', Buffer.from('jörg@example.org').toString('latin1'));
  add(sessions, 'login', '2', 'jörg@example.org');
  t.same(eventsOf(sessions), ['failure', 'login'], 'octets as latin1, and text');
  t.end();
});
