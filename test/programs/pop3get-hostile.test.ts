// pop3get against servers that lie, stall and break off: each row of what was seen to break other clients.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { freePort } from '../support/suite/free-port.js';
import { attack, three } from '../support/programs/pop3get-attack.js';
import {
  drop,
  hangUp,
  makeMaildir,
  numberedMessage,
  reply,
  runPop3get,
  silence,
  sortedContents,
  startFakeServer,
} from '../support/programs/pop3get-fixture.js';

t.test('an honest server: all is stored, byte for byte, and removed from the server', async (t) => {
  const { status, stored, left, commands } = await attack(t, {});
  t.equal(status, 0);
  t.same(stored, sortedContents(three));
  t.equal(left, 0);
  t.equal(commands.at(-1), 'QUIT');
});

t.test('a server without CAPA, PIPELINING or UIDL serves as well', async (t) => {
  const { status, stored, left } = await attack(t, {
    hasUidl: false,
    fault: (line) => (line === 'CAPA' ? '-ERR\r\n' : undefined),
  });
  t.equal(status, 0);
  t.same(stored, sortedContents(three));
  t.equal(left, 0);
});

t.test('a server that ignores the number after LIST serves as well', async (t) => {
  const { status, left } = await attack(t, {
    hasUidl: false,
    fault: (line) => (/^LIST \d/.test(line) ? '+OK 3\r\n1 1\r\n2 2\r\n3 3\r\n.\r\n' : undefined),
  });
  t.equal(status, 0);
  t.equal(left, 0);
});

t.test('an endless status line ends the run with 111', async (t) => {
  const { status, stderr } = await attack(t, { greeting: `+OK ${'x'.repeat(100_000)}` });
  t.equal(status, 111);
  t.match(stderr, /endless line/);
});

t.test('a greeting that never comes ends the run with 111 in time', async (t) => {
  const { status, stderr } = await attack(t, { greeting: '' }, ['--timeout', '1']);
  t.equal(status, 111);
  t.match(stderr, /fell silent/);
});

t.test('an endless listing of capabilities ends the run', async (t) => {
  const { status, stderr } = await attack(t, {
    fault: (line) => (line === 'CAPA' ? `+OK\r\n${'X-LIE\r\n'.repeat(20_000)}` : undefined),
  });
  t.equal(status, 111);
  t.match(stderr, /endless listing/);
});

t.test('a message beyond the limit is named and left, and the others are fetched', async (t) => {
  const { status, stderr, stored, left } = await attack(
    t,
    {
      fault: (line) =>
        line === 'RETR 2' ? `+OK\r\n${`${'x'.repeat(998)}\r\n`.repeat(300)}` : undefined,
    },
    ['--limit', '100000'],
  );
  t.equal(status, 1);
  t.match(stderr, /message-left reason="[^"]*larger than 100000 octets.* number=2/);
  t.same(stored, sortedContents([numberedMessage(1), numberedMessage(3)]));
  t.equal(left, 1);
});

t.test('a line of ten million octets is stored in full', async (t) => {
  const content = Buffer.from(`Subject: long\r\n\r\n${'y'.repeat(10_000_000)}\r\n`);
  const { status, stored } = await attack(t, { messages: [{ uniqueId: 'a', content }] });
  t.equal(status, 0);
  t.ok(stored[0] === content.toString('latin1'), 'the message is whole');
});

for (const size of ['-5', '99999999999999999999', '1', '10000000', 'x']) {
  t.test(`a listed size of ${size} changes nothing`, async (t) => {
    const { status, stored, left } = await attack(t, {
      fault: (line) => {
        if (line === 'LIST') return `+OK\r\n1 ${size}\r\n2 ${size}\r\n3 ${size}\r\n.\r\n`;
        return undefined;
      },
    });
    t.equal(status, 0);
    t.same(stored, sortedContents(three));
    t.equal(left, 0);
  });
}

t.test('UIDL lines for messages that LIST does not have are passed over', async (t) => {
  const { status, stored } = await attack(t, {
    fault: (line) => (line === 'LIST' ? '+OK\r\n1 60\r\n3 60\r\n.\r\n' : undefined),
  });
  t.equal(status, 0);
  t.same(stored, sortedContents([numberedMessage(1), numberedMessage(3)]));
});

t.test('numbers that are 0, negative or listed twice are never retrieved or deleted', async (t) => {
  const { status, stderr, commands, left } = await attack(t, {
    fault: (line) =>
      line === 'LIST' ? '+OK\r\n0 9\r\n-1 9\r\n1 60\r\n2 60\r\n2 61\r\n.\r\n' : undefined,
  });
  t.equal(status, 111);
  t.match(stderr, /listed 3 messages malformed/);
  t.notMatch(commands.join('\n'), /(RETR|DELE) (0|-1|2)/);
  t.equal(left, 2);
});

t.test('messages with one unique-id between them are all stored', async (t) => {
  const messages = [numberedMessage(1, 'same'), numberedMessage(2, 'same'), numberedMessage(3)];
  const { status, stored, left } = await attack(t, { messages });
  t.equal(status, 0);
  t.same(stored, sortedContents(messages));
  t.equal(left, 0);
});

t.test('byte-identical messages are stored as often as they are there', async (t) => {
  for (const uniqueId of ['same', null]) {
    const one = numberedMessage(1, uniqueId);
    const { status, stored } = await attack(t, { messages: [one, one] });
    t.equal(status, 0);
    t.equal(stored.length, 2);
  }
});

t.test('illegal unique-ids are none', async (t) => {
  const messages = [numberedMessage(1, 'with\rcr'), numberedMessage(2, 'x'.repeat(5000))];
  const { status, stored, left } = await attack(t, { messages });
  t.equal(status, 0);
  t.same(stored, sortedContents(messages));
  t.equal(left, 0);
});

t.test('a unique-id cannot reach a path or the trace header', async (t) => {
  const server = await startFakeServer(t, { messages: [numberedMessage(1, '../../../evil')] });
  const maildir = makeMaildir(t);
  t.equal((await runPop3get(t, server.port, maildir)).status, 0);
  const names = readdirSync(join(maildir, 'new'));
  t.equal(names.length, 1);
  t.match(names[0], /^\d+\.M\d{6}U[0-9a-f]{32}\.[!-~]+$/);
});

for (const [how, end] of [
  ['resets the connection', 'reset'],
  ['closes it', 'close'],
] as const) {
  t.test(`a server that ${how} within a message gets it asked for again, once`, async (t) => {
    const { status, stored, left, again } = await attack(t, {
      fault: (line, session, socket) => {
        if (line !== 'RETR 2' || session > 3) return undefined;
        socket.write('+OK\r\nSubject: cut\r\n\r\nhalf a li');
        if (end === 'close') socket.end();
        return end === 'close' ? '' : drop;
      },
    });
    t.notMatch(stored.join(), /half a li/);
    t.not(status, 0);
    t.not(left, 0);
    const second = await again();
    t.same([second.status, second.left], [0, 0]);
    t.same(second.stored, sortedContents(three));
  });
}

t.test('a lone line feed before a dot ends no message', async (t) => {
  const content = Buffer.from(
    'Subject: x\r\n\r\nfirst\n.\n+OK 10\nSubject: forged\r\n.\r\nlast\r\n',
  );
  const messages = [{ uniqueId: 'a', content }, numberedMessage(2)];
  const { status, stored, left } = await attack(t, { messages });
  t.equal(status, 0);
  t.equal(left, 0);
  t.equal(stored.length, 2);
  t.ok(stored.some((text) => text.includes('Subject: forged') && text.includes('last')));
});

t.test(
  'a message that a server fails to stuff is not deleted, nor is the one after it',
  async (t) => {
    const unstuffed = '+OK\r\nSubject: x\r\n\r\ntext\r\n.\r\nmore text\r\n.\r\n';
    const { status, stderr, stored, left } = await attack(t, {
      fault: (line) => (line === 'RETR 2' ? unstuffed : undefined),
    });
    t.equal(status, 1);
    t.match(stderr, /message-left .* number=2/);
    t.same(stored, sortedContents([numberedMessage(1), numberedMessage(3)]));
    t.equal(left, 1);
  },
);

t.test('replies forged inside a message are found out', async (t) => {
  // Whoever wrote message 2 knows that the server does not stuff, and brings a message of their own.
  const smuggled =
    '+OK\r\nSubject: x\r\n\r\ntext\r\n.\r\n' +
    '+OK 50 octets\r\nSubject: forged\r\n\r\nforged\r\n.\r\n';
  const { status, stored, left } = await attack(t, {
    fault: (line) => (line === 'RETR 2' ? smuggled : undefined),
  });
  t.equal(status, 1);
  t.same(stored, sortedContents([numberedMessage(1), numberedMessage(3)]));
  t.equal(left, 1);
});

t.test(
  'NULs, 8-bit octets, lone CRs, and lines that start with dots are stored as sent',
  async (t) => {
    const bytes = Buffer.from(
      Array.from({ length: 256 }, (_, byte) => byte).filter((b) => b !== 10),
    );
    const content = Buffer.concat([
      Buffer.from('.first\r\n..\r\n\r\n'),
      bytes,
      Buffer.from('\ra\r\r.\r\n.\r\n'),
    ]);
    const { status, stored } = await attack(t, { messages: [{ uniqueId: 'a', content }] });
    t.equal(status, 0);
    t.same(stored, [content.toString('latin1')]);
  },
);

t.test(
  '-ERR to one RETR: that message is named, the others are moved, and QUIT is sent',
  async (t) => {
    const { status, stderr, stored, left, commands } = await attack(t, {
      fault: (line) => (line === 'RETR 2' ? '-ERR expunged\r\n' : undefined),
    });
    t.equal(status, 1);
    t.match(stderr, /message-left reason=.*expunged.* number=2 uid=id-2/);
    t.same(stored, sortedContents([numberedMessage(1), numberedMessage(3)]));
    t.equal(left, 1);
    t.equal(commands.at(-1), 'QUIT');
  },
);

t.test('-ERR to one DELE: the next run deletes it and does not fetch it again', async (t) => {
  const { status, stored, left, again, commands } = await attack(t, {
    fault: (line, session) => (line === 'DELE 2' && session === 1 ? '-ERR no\r\n' : undefined),
  });
  t.equal(status, 1);
  t.equal(left, 1);
  t.equal(stored.length, 3);
  t.equal(commands.at(-1), 'QUIT');
  const second = await again();
  t.same([second.status, second.left, second.stored.length], [0, 0, 3]);
});

t.test('a stall within a message ends in time, and the others are moved', async (t) => {
  const { status, stored, left } = await attack(
    t,
    { fault: (line) => (line === 'RETR 3' ? silence : undefined) },
    ['--timeout', '1'],
  );
  t.equal(status, 1);
  t.same(stored, sortedContents([numberedMessage(1), numberedMessage(2)]));
  t.equal(left, 1);
});

t.test('the connection dropped at a DELE: nothing is fetched twice', async (t) => {
  const { status, stored, left, commands } = await attack(t, {
    fault: (line, session) => (line === 'DELE 3' && session === 1 ? drop : undefined),
  });
  t.same([status, left], [0, 0]);
  t.same(stored, sortedContents(three));
  t.equal(commands.filter((line) => line.startsWith('RETR')).length, 3);
});

t.test('no answer to QUIT is undecided; the next run deletes what is still there', async (t) => {
  const { status, stderr, again } = await attack(t, {
    fault: (line, session, socket) =>
      line === 'QUIT' && session === 1 ? hangUp(socket) : undefined,
  });
  t.equal(status, 111);
  t.match(stderr, /no answer to QUIT/);
  t.match(stderr, /undecided=true/);
  const second = await again();
  t.same([second.status, second.left, second.stored.length], [0, 0, 3]);
});

t.test('no UIDL and no answer to QUIT: known again by content', async (t) => {
  const { status, again } = await attack(t, {
    hasUidl: false,
    fault: (line, session, socket) =>
      line === 'QUIT' && session === 1 ? hangUp(socket) : undefined,
  });
  t.equal(status, 111);
  const second = await again();
  t.same([second.status, second.left, second.stored.length], [0, 0, 3]);
});

t.test('STLS refused: nothing is sent in clear, exit 100', async (t) => {
  const { status, commands } = await attack(t, {
    capabilities: ['USER', 'STLS'],
    fault: (line) => (line === 'STLS' ? '-ERR no\r\n' : undefined),
  });
  t.equal(status, 100);
  t.notMatch(commands.join('\n'), /USER|PASS|AUTH/);
});

t.test('STLS not offered where it was asked for: exit 100, nothing in clear', async (t) => {
  const { status, commands } = await attack(t, {}, ['--tls', 'stls']);
  t.equal(status, 100);
  t.notMatch(commands.join('\n'), /USER|PASS|AUTH/);
});

t.test('data injected after the agreement to STLS: exit 100', async (t) => {
  const { status, stderr, commands } = await attack(t, {
    capabilities: ['USER', 'STLS'],
    fault: (line) => (line === 'STLS' ? '+OK\r\n+OK injected\r\n' : undefined),
  });
  t.equal(status, 100);
  t.match(stderr, /in clear after agreeing to STLS/);
  t.notMatch(commands.join('\n'), /USER|PASS|AUTH/);
});

t.test('a greeting with a reply sent ahead is no POP3 server', async (t) => {
  const { status, commands } = await attack(t, { greeting: '+OK\r\n+OK\r\n+OK\r\n' });
  t.equal(status, 111);
  t.same(commands, []);
});

t.test('-ERR as greeting is temporary; a refused login is for good', async (t) => {
  t.equal((await attack(t, { greeting: '-ERR busy\r\n' })).status, 111);
  const fault = (answer: string) => (line: string) =>
    line.startsWith('PASS') ? answer : undefined;
  t.equal((await attack(t, { fault: fault('-ERR no\r\n') })).status, 100);
  t.equal((await attack(t, { fault: fault('-ERR [SYS/TEMP] no\r\n') })).status, 111);
  t.equal((await attack(t, { fault: fault('-ERR [IN-USE] no\r\n') })).status, 111);
  const { stderr } = await attack(t, { fault: fault('-ERR no\r\n') });
  t.notMatch(stderr, /secret/);
});

t.test('replies in pieces of one octet are replies', async (t) => {
  const { status, stored } = await attack(t, {
    fault: (line, _session, socket) => {
      if (!line.startsWith('RETR')) return undefined;
      const message = three[Number(line.slice(5)) - 1];
      for (const byte of message === undefined ? [] : reply(message.content)) {
        socket.write(Buffer.of(byte));
      }
      return '';
    },
  });
  t.equal(status, 0);
  t.same(stored, sortedContents(three));
});

t.test('a reply that trickles in ends the run in the time of one that never comes', async (t) => {
  const { status, stderr } = await attack(
    t,
    {
      fault: (line, _session, socket) => {
        if (!line.startsWith('CAPA')) return undefined;
        const trickle = setInterval(() => socket.write('+'), 50);
        socket.once('close', () => clearInterval(trickle));
        return silence;
      },
    },
    ['--timeout', '1'],
  );
  t.equal(status, 111);
  t.match(stderr, /fell silent/);
});

t.test('a server that is not there is 111, in one line and without a stack', async (t) => {
  const { status, stderr } = await runPop3get(t, await freePort(), makeMaildir(t));
  t.equal(status, 111);
  t.match(stderr, /connection refused by 127.0.0.1 port/);
  t.notMatch(stderr, /^ +at /m);
  t.notMatch(stderr, /secret/);
});
