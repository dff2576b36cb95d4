// What pop3get remembers of a server from one run to the next: what worked.

import t from 'tap';
import { attack } from '../support/programs/pop3get-attack.js';
import { hangUp } from '../support/programs/pop3get-fixture.js';

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
        // Nothing goes ahead of a reply: RFC 2449 §6.6 wants PIPELINING announced for that.
        dropsLinesAhead: true,
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
        fault: (line, _session, socket) => (line === 'UTF8' ? hangUp(socket) : undefined),
      },
      ['--keep'],
    );
    t.equal(result.status, 0, result.stderr);
    t.equal((await result.again()).status, 0);
    t.equal(result.server.commands.filter((line) => line === 'UTF8').length, 1);
  },
);

t.test('UTF8 goes with the first line of the login where PIPELINING is announced', async (t) => {
  for (const login of ['USER', 'SASL PLAIN', 'SASL SCRAM-SHA-256 PLAIN']) {
    for (const answer of ['+OK\r\n', '-ERR no\r\n']) {
      const result = await attack(t, {
        capabilities: [login, 'UTF8', 'PIPELINING', 'UIDL'],
        fault: (line) => {
          // UTF8 is answered only once the login has begun.
          if (line === 'UTF8') return '';
          if (line === 'USER ann') return `${answer}+OK\r\n`;
          if (line.startsWith('AUTH SCRAM')) return `${answer}-ERR not for this one\r\n`;
          if (!line.startsWith('AUTH PLAIN')) return undefined;
          return login === 'SASL PLAIN' ? `${answer}+OK\r\n` : '+OK\r\n';
        },
      });
      t.equal(result.status, 0, result.stderr);
      t.equal(result.stored.length, 3);
      t.equal(result.commands.filter((line) => line === 'CAPA').length, 2, 'one connection');
    }
  }
});

t.test(
  'a server that drops the login behind UTF8 gets it after the reply from then on',
  async (t) => {
    const result = await attack(
      t,
      { dropsLinesAhead: true, capabilities: ['USER', 'UTF8', 'PIPELINING', 'UIDL'] },
      ['--keep', '--timeout', '1'],
    );
    t.equal(result.status, 0, result.stderr);
    t.notMatch(result.stderr, 'session-ended');
    t.same(result.commands.slice(0, 6), [
      'CAPA',
      'UTF8',
      'CAPA',
      'UTF8',
      'USER ann',
      'PASS secret',
    ]);
    t.equal((await result.again()).status, 0);
    t.equal(
      result.server.commands.filter((line) => line === 'UTF8').length,
      3,
      'and it is still said',
    );
  },
);

t.test(
  'a server that closes the connection at UTF8 is still sent other commands ahead',
  async (t) => {
    const result = await attack(
      t,
      {
        capabilities: ['USER', 'UTF8', 'PIPELINING', 'UIDL'],
        fault: (line, _session, socket) => (line === 'UTF8' ? hangUp(socket) : undefined),
      },
      ['--keep'],
    );
    t.equal(result.status, 0, result.stderr);
    t.equal((await result.again()).status, 0);
    t.equal(result.server.commands.filter((line) => line === 'UTF8').length, 2, 'ahead, and alone');
    // Only with PIPELINING it is asked for with the listing.
    t.equal(result.server.commands.filter((line) => line === 'UIDL 1').length, 2);
  },
);
