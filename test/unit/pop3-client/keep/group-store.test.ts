import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Delivery } from '../../../../src/pop3-client/keep/delivery.js';
import { GroupStore } from '../../../../src/pop3-client/keep/group-store.js';
import { AlreadyStored } from '../../../../src/pop3-client/keep/already-stored.js';

/** A disk with room for messages and none for their records. */
const withoutRoom: Delivery = {
  deliver: (_settled, failures) => {
    failures.push(new Error('ENOSPC'));
    return Promise.resolve({ recorded: [], left: [] });
  },
  close: () => undefined,
};

t.test('once a record found no room, no message takes what room is made for it', async (t) => {
  const maildir = t.testdir();
  for (const folder of ['cur', 'new', 'tmp']) mkdirSync(join(maildir, folder));
  const account = 'ann@mail.example';
  const store = new GroupStore({
    ...{ maildir, account, delivery: withoutRoom, onLeft: () => t.fail('nothing is left') },
    alreadyStored: new AlreadyStored(account, [], [], true),
    traceHeader: () => Buffer.from('Received: by test\n'),
  });
  const entryOf = (number: number) => ({
    ...{ number, uniqueId: `id-${number}`, listedOctets: null, expectedOctets: 100 },
  });
  const accept = (number: number) => {
    const begun = store.begin(entryOf(number));
    begun.writer.write(Buffer.from(`Subject: ${number}\r\n\r\n`));
    // More than is held before it is written.
    const line = Buffer.from(`${'x'.repeat(15_998)}\r\n`);
    for (let lines = 0; lines < 5; lines += 1) begun.writer.write(line);
    return store.accept(begun, 80_000);
  };
  const first = await accept(1);
  await t.rejects(
    store.commit([first], 'stored', () => t.fail('nothing is stored')),
    { message: 'cannot store messages: ENOSPC' },
  );
  const before = readdirSync(join(maildir, 'tmp'));
  const second = await accept(2);
  await t.rejects(second.finished, { message: 'cannot store messages: ENOSPC' });
  t.same(readdirSync(join(maildir, 'tmp')), before);
});
