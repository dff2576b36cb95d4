import t from 'tap';
import { SessionsOfUser } from '../../../src/administration/sessions-of-user.js';

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
  const sessions = new SessionsOfUser('Ann@Example.org', 10);
  add(sessions, 'connect', '1');
  add(sessions, 'connect', '2');
  add(sessions, 'login', '2', 'bob@example.org');
  add(sessions, 'login', '1', 'ann@example.org');
  add(sessions, 'logout', '2');
  add(sessions, 'message', '1', 'ann@example.org');
  add(sessions, 'logout', '1');
  add(sessions, 'connect', '1');
  t.same(eventsOf(sessions), ['connect login message logout']);
  t.end();
});

t.test('the last ones are kept', (t) => {
  const sessions = new SessionsOfUser('ann@example.org', 2);
  for (const id of ['1', '2', '3']) add(sessions, `failure${id}`, id, 'ann@example.org');
  t.same(eventsOf(sessions), ['failure2', 'failure3']);
  t.end();
});
