// Mail that pop3get lost or stored twice: servers that take RETR for DELE, copies made of hard links, fields that servers over
// mbox add, unique-ids given again, and unique-ids that are none by the letter.

import { execFileSync } from 'node:child_process';
import { linkSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { formatTmpName } from '../../src/pop3-client/keep/delivered-name.js';
import { accountTag, uniqueIdKey } from '../../src/pop3-client/journal/message-key.js';
import { attack, three } from '../support/programs/pop3get-attack.js';
import { takingRetrForDele, withStatusField } from '../support/programs/pop3get-odd-server.js';
import {
  hangUp,
  makeMaildir,
  numberedMessage,
  numberedMessages,
  runPop3get,
  silence,
  sortedContents,
  startFakeServer,
  storedContents,
  type FakeServer,
} from '../support/programs/pop3get-fixture.js';

const five = numberedMessages(5);

for (const isAtOnce of [true, false]) {
  for (const capabilities of [
    ['USER', 'UIDL', 'EXPIRE 0'],
    ['USER', 'UIDL', 'PIPELINING'],
  ]) {
    const how = `${isAtOnce ? 'at once' : 'at QUIT'}, ${capabilities.at(-1) ?? ''}`;
    t.test(`a server that takes RETR for DELE (${how}): all is stored, once`, async (t) => {
      const maildir = makeMaildir(t);
      const deletes = takingRetrForDele(() => server, isAtOnce);
      const server: FakeServer = await startFakeServer(t, {
        ...{ messages: five, capabilities },
        fault: (line, session, _socket, turn) => deletes(line, session, turn),
      });
      const { status, stderr } = await runPop3get(t, server.port, maildir);
      t.equal(status, 0, stderr);
      t.match(stderr, /stored=5 .*doubtful=5/);
      t.same([...storedContents(maildir)].sort(), sortedContents(five));
      t.equal(server.messages.length, 0);
      t.equal((await runPop3get(t, server.port, maildir)).status, 0);
      t.equal(storedContents(maildir).length, 5);
    });
  }
}

t.test(
  'retrieved, deleted by the server, and the connection closed: delivered afterwards',
  async (t) => {
    const maildir = makeMaildir(t);
    const deletes = takingRetrForDele(() => server, true);
    const server: FakeServer = await startFakeServer(t, {
      ...{ messages: five, capabilities: ['USER', 'UIDL'] },
      fault: (line, session, socket, turn) => {
        if (line === 'RETR 4' && session === 1) return hangUp(socket);
        return deletes(line, session, turn);
      },
    });
    const { status, stderr } = await runPop3get(t, server.port, maildir);
    t.equal(status, 0, stderr);
    t.same([...storedContents(maildir)].sort(), sortedContents(five));
    t.same(readdirSync(join(maildir, 'tmp')), []);
  },
);

for (const isLogin of [true, false]) {
  t.test(`the same, and no other session in that run${isLogin ? ': no login' : ''}`, async (t) => {
    const maildir = makeMaildir(t);
    const deletes = takingRetrForDele(() => server, true);
    const server: FakeServer = await startFakeServer(t, {
      ...{ messages: five, capabilities: ['USER', 'UIDL'] },
      fault: (line, session, socket, turn) => {
        if (line === 'RETR 4' && session === 1) return hangUp(socket);
        const isRefused = line === (isLogin ? 'PASS secret' : 'LIST') && session === 2;
        return isRefused ? '-ERR [SYS/TEMP] later\r\n' : deletes(line, session, turn);
      },
    });
    t.equal((await runPop3get(t, server.port, maildir)).status, 111);
    const { status, stderr } = await runPop3get(t, server.port, maildir);
    t.equal(status, 0, stderr);
    t.same([...storedContents(maildir)].sort(), sortedContents(five));
    t.same(readdirSync(join(maildir, 'tmp')), []);
  });
}

t.test('half a message in tmp with a second link to it is not taken for delivered', async (t) => {
  const server = await startFakeServer(t, { messages: three });
  const maildir = makeMaildir(t);
  const account = 'ann@127.0.0.1';
  const key = uniqueIdKey(account, 'id-2');
  const name = formatTmpName('1732184037.M000001', accountTag(account), key, 'host');
  writeFileSync(join(maildir, 'tmp', name), '\0eceived: from x\n\tby y\n\t;\nSubject: mess');
  linkSync(join(maildir, 'tmp', name), join(maildir, 'copy'));
  const { status, stderr } = await runPop3get(t, server.port, maildir);
  t.equal(status, 0, stderr);
  t.same([...storedContents(maildir)].sort(), sortedContents(three));
  t.same(readdirSync(join(maildir, 'tmp')), []);
});

t.test(
  'a Maildir copied with hard links in the middle of a run: the copy claims no more than it has',
  async (t) => {
    const maildir = makeMaildir(t);
    const copy = join(makeMaildir(t), 'copy');
    const server = await startFakeServer(t, {
      ...{ messages: three, capabilities: ['USER', 'UIDL', 'TOP'] },
      fault: (line, session) => {
        if (line !== 'RETR 3' || session > 1) return undefined;
        execFileSync('cp', ['-al', maildir, copy]);
        return undefined;
      },
    });
    t.equal((await runPop3get(t, server.port, maildir, ['--keep'])).status, 0);
    const { status, stderr } = await runPop3get(t, server.port, copy);
    t.equal(status, 0, stderr);
    t.same([...storedContents(copy)].sort(), sortedContents(three));
  },
);

for (const args of [['--keep'], []]) {
  t.test(`fields that mbox servers add later make no other message ${args.join()}`, async (t) => {
    const server: FakeServer = await startFakeServer(t, {
      messages: three,
      fault: (line, session, socket) => {
        if (line !== 'QUIT' || session > 1) return undefined;
        server.messages = three.map(withStatusField);
        return hangUp(socket);
      },
    });
    const maildir = makeMaildir(t);
    await runPop3get(t, server.port, maildir, args);
    for (let runs = 0; runs < 2; runs += 1) {
      const { status, stderr } = await runPop3get(t, server.port, maildir, args);
      t.equal(status, 0, stderr);
    }
    t.same([...storedContents(maildir)].sort(), sortedContents(three));
    t.equal(server.commands.filter((line) => line.startsWith('RETR')).length, 3, 'TOP tells');
  });
}

for (const hasTop of [true, false]) {
  t.test(
    `a unique-id given to another message of the same size: it is stored ${hasTop ? '' : '(no TOP)'}`,
    async (t) => {
      const server: FakeServer = await startFakeServer(t, {
        messages: three,
        capabilities: ['USER', 'UIDL', ...(hasTop ? ['TOP'] : [])],
      });
      const maildir = makeMaildir(t);
      t.equal((await runPop3get(t, server.port, maildir, ['--keep'])).status, 0);
      const other = { uniqueId: 'id-2', content: numberedMessage(7).content };
      server.messages = [three[0], other, three[2]].filter((one) => one !== undefined);
      const { status, stderr } = await runPop3get(t, server.port, maildir);
      t.equal(status, 0, stderr);
      t.equal(server.messages.length, 0);
      t.same([...storedContents(maildir)].sort(), sortedContents([...three, other]));
    },
  );
}

t.test('unique-ids that are too long or hold blanks are unique-ids', async (t) => {
  const ids = ['x'.repeat(200), 'with two blanks', 'caf\xe9 \x01'];
  const messages = ids.map((id, index) => numberedMessage(index + 1, id));
  const server = await startFakeServer(t, {
    messages,
    fault: (line, _session, _socket, { answer }) =>
      line.startsWith('UIDL') ? Buffer.from(String(answer()), 'latin1') : undefined,
  });
  const maildir = makeMaildir(t);
  for (let runs = 0; runs < 2; runs += 1) {
    t.equal((await runPop3get(t, server.port, maildir, ['--keep'])).status, 0);
  }
  t.equal(server.commands.filter((line) => line.startsWith('RETR')).length, 3);
  t.equal(storedContents(maildir).length, 3);
});

t.test('UIDL refused for now: try again, and nothing is downloaded twice', async (t) => {
  const { status, stderr, commands } = await attack(
    t,
    { fault: (line) => (line === 'UIDL' ? '-ERR [SYS/TEMP] busy\r\n' : undefined) },
    ['--keep'],
  );
  t.equal(status, 111);
  t.match(stderr, /^pop3get: failed error="the server does not list unique-ids now/m);
  t.notMatch(commands.join('\n'), /RETR/);
});

for (const [what, answer] of [
  ['-ERR', '-ERR no messages\r\n'],
  ['+OK without a dot', '+OK 0 messages\r\n'],
] as const) {
  for (const capability of ['PIPELINING', 'TOP']) {
    t.test(`LIST of an empty mailbox answered ${what} (${capability})`, async (t) => {
      const { status, stderr } = await attack(t, {
        ...{ messages: [], capabilities: ['USER', 'UIDL', capability] },
        fault: (line) => (/^(?:LIST|UIDL)$/.test(line) ? answer : undefined),
      });
      t.equal(status, 0, stderr);
      t.match(stderr, /listed=0 .*left=0/);
    });
  }
}

t.test('no answer to QUIT when nothing was to be deleted is success', async (t) => {
  for (const end of ['close', 'silence'] as const) {
    const { status, stderr } = await attack(
      t,
      {
        fault: (line, _session, socket) =>
          line !== 'QUIT' ? undefined : end === 'close' ? hangUp(socket) : silence,
      },
      ['--keep', '--timeout', '1'],
    );
    t.equal(status, 0, stderr);
    t.match(stderr, /stored=3 .*undecided=false/);
  }
});
