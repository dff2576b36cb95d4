// What pop3get remembers of a server from one run to the next: what worked.

import t from 'tap';
import { attack } from '../support/programs/pop3get-attack.js';

t.test('a server whose SCRAM fails costs one refused login, not one in every run', async (t) => {
  const result = await attack(
    t,
    {
      capabilities: ['SASL SCRAM-SHA-256 PLAIN', 'UIDL'],
      fault: (line) => {
        if (line.startsWith('AUTH SCRAM')) return '-ERR no\r\n';
        return line.startsWith('AUTH PLAIN') ? '+OK\r\n' : undefined;
      },
    },
    ['--keep'],
  );
  t.equal(result.status, 0, result.stderr);
  await result.again();
  const logins = result.server.commands.filter((line) => line.startsWith('AUTH'));
  t.same(
    logins.map((line) => line.split(' ')[1]),
    ['SCRAM-SHA-256', 'PLAIN', 'PLAIN'],
  );
});

t.test(
  'a server that drops what is sent ahead costs one pause, not one in every run',
  async (t) => {
    const result = await attack(t, { dropsLinesAhead: true }, ['--keep', '--timeout', '1']);
    t.equal(result.status, 0, result.stderr);
    t.match(result.stderr, 'session-ended');
    const again = await result.again();
    t.equal(again.status, 0, again.stderr);
    t.notMatch(again.stderr, 'session-ended');
  },
);

t.test(
  'UTF8 is said before the login where it is offered, and its refusal changes nothing',
  async (t) => {
    const offering = { capabilities: ['UTF8 USER', 'USER', 'UIDL'] };
    for (const answer of ['+OK\r\n', '-ERR no\r\n']) {
      const result = await attack(t, {
        ...offering,
        fault: (line) => (line === 'UTF8' ? answer : undefined),
      });
      t.equal(result.status, 0, result.stderr);
      t.same(result.commands.slice(0, 4), ['CAPA', 'UTF8', 'USER ann', 'PASS secret']);
    }
    const without = await attack(t, { capabilities: ['USER', 'UIDL'] });
    t.notOk(without.commands.includes('UTF8'));
  },
);

t.test(
  'a server that closes the connection at UTF8 is not asked again, now or in later runs',
  async (t) => {
    const result = await attack(
      t,
      {
        capabilities: ['UTF8', 'USER', 'UIDL'],
        fault: (line, _session, socket) => {
          if (line !== 'UTF8') return undefined;
          socket.end();
          return '';
        },
      },
      ['--keep'],
    );
    t.equal(result.status, 0, result.stderr);
    t.equal((await result.again()).status, 0);
    t.equal(result.server.commands.filter((line) => line === 'UTF8').length, 1);
  },
);
