// pop3get on a file system of 2 MB that fills up. Needs root, to mount it.

import { execFileSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  makeMaildir,
  runPop3get,
  sortedContents,
  startFakeServer,
  storedContents,
  type FakeMessage,
} from '../support/programs/pop3get-fixture.js';
import { mountSmallFileSystem, unlessMountable } from '../support/mail/small-file-system.js';

const skip = unlessMountable();

t.test('a disk that fills up costs nothing but further runs', { skip }, async (t) => {
  const mountPoint = mountSmallFileSystem(t, 'size=2m');
  const messages = Array.from({ length: 100 }, (_, index): FakeMessage => {
    const content = `Subject: ${index}\r\n\r\n${`${'z'.repeat(70)}\r\n`.repeat(700)}`;
    return { uniqueId: `id-${index}`, content: Buffer.from(content) };
  });
  const server = await startFakeServer(t, { messages });
  const maildir = makeMaildir(t, mountPoint);
  const elsewhere = makeMaildir(t);
  const statuses: (number | null)[] = [];
  for (let runs = 0; runs < 10 && statuses.at(-1) !== 0; runs += 1) {
    const { status, stderr } = await runPop3get(t, server.port, maildir);
    statuses.push(status);
    if (status !== 0) t.match(stderr, /ENOSPC/);
    t.match(
      stderr,
      new RegExp(` left=${server.messages.length}\\b`),
      'what is left on the server is told',
    );
    // Whoever reads the mail makes room.
    for (const name of readdirSync(join(maildir, 'new'))) {
      execFileSync('cp', [join(maildir, 'new', name), join(elsewhere, 'cur', `${name}:2,S`)]);
      rmSync(join(maildir, 'new', name));
    }
  }
  t.equal(statuses[0], 111);
  t.equal(statuses.at(-1), 0);
  t.equal(server.messages.length, 0);
  const stored = subjectsOf(storedContents(elsewhere));
  t.same(stored, subjectsOf(sortedContents(messages)));
  t.ok([...storedContents(elsewhere)].sort().join('\0') === sortedContents(messages).join('\0'));
});

t.test(
  'where a server deletes what was retrieved, a full disk means no QUIT',
  { skip },
  async (t) => {
    const mountPoint = mountSmallFileSystem(t, 'size=1m');
    const content = Buffer.from(`Subject: big\r\n\r\n${`${'z'.repeat(70)}\r\n`.repeat(30_000)}`);
    const server = await startFakeServer(t, {
      messages: [{ uniqueId: 'a', content }],
      capabilities: ['USER', 'UIDL', 'PIPELINING', 'EXPIRE 0'],
    });
    const maildir = makeMaildir(t, mountPoint);
    const { status, stderr } = await runPop3get(t, server.port, maildir);
    t.equal(status, 111);
    t.match(stderr, /ENOSPC/);
    const retrieved = server.commands.lastIndexOf('RETR 1');
    const quit = server.commands.indexOf('QUIT');
    // The session that retrieved ends without QUIT; one that only deletes may follow.
    t.ok(quit === -1 || server.commands.slice(retrieved, quit).some((line) => line === 'CAPA'));
    t.equal(server.messages.length, 1);
    t.same(readdirSync(join(maildir, 'tmp')), []);
  },
);

/** Which messages there are, for a failure that tells which one is missing or twice. */
function subjectsOf(contents: Iterable<string>): readonly string[] {
  return [...contents].map((content) => /^Subject: (\d+)/m.exec(content)?.[1] ?? '?').sort();
}
