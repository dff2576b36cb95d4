import { createHash } from 'node:crypto';
import { linkSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import {
  formatDeliveredName,
  formatTmpName,
} from '../../../../src/pop3-client/keep/delivered-name.js';
import { Journal } from '../../../../src/pop3-client/journal/journal.js';
import { readJournal } from '../../../../src/pop3-client/journal/journal-file.js';
import type { StoredRecord } from '../../../../src/pop3-client/journal/journal-format.js';
import {
  accountTag,
  deliveredKey,
  uniqueIdKey,
} from '../../../../src/pop3-client/journal/message-key.js';
import { findLeftovers, recoverJournal } from '../../../../src/pop3-client/keep/recovery.js';
import { traceHeaderFormat } from '../../../../src/pop3-client/keep/trace-header.js';

const account = 'ann@example.org';
const key = uniqueIdKey(account, 'id-1');
const stamp = '1732184037.M000001';
const contentHash = createHash('sha256').update('\tbody\n').digest('hex');
const header = traceHeaderFormat({
  serverName: 'mail.example.org',
  serverAddress: '192.0.2.1',
  localName: 'here',
})(stamp, new Date(0));
const whole = Buffer.concat([header, Buffer.from('\tbody\n')]);
/** As a run leaves it that dies within the message. */
const unfinished = Buffer.concat([Buffer.of(0), whole.subarray(1)]);
const finalName = formatDeliveredName(stamp, deliveredKey(account, key, contentHash), 'host');
const tag = accountTag(account);
const tmpName = formatTmpName(stamp, tag, key, 'host');
const record = (state: StoredRecord['state']): StoredRecord => ({
  ...{ state, key, contentHash, topHash: contentHash.slice(0, 32), listedOctets: null, stamp },
});

function makeMaildir(t: Test): string {
  return t.testdir({ tmp: {}, new: {}, cur: {} });
}

t.test('the final name in new or cur says that a message was delivered', async (t) => {
  const maildir = makeMaildir(t);
  writeFileSync(join(maildir, 'tmp', tmpName), whole);
  for (const name of [finalName, `${finalName}:2,FS`]) {
    const leftovers = await findLeftovers(maildir, account, new Map(), ['other', name]);
    t.same(leftovers, { delivered: [record('doubtful')], rubbish: [tmpName], held: [] });
  }
});

t.test('a second link to a file in tmp says nothing', async (t) => {
  const maildir = makeMaildir(t);
  const other = formatTmpName('1732184037.M000002', tag, null, 'host');
  writeFileSync(join(maildir, 'tmp', tmpName), whole);
  writeFileSync(join(maildir, 'tmp', other), unfinished);
  for (const name of [tmpName, other]) {
    linkSync(join(maildir, 'tmp', name), join(maildir, `copy-of-${name}`));
  }
  const leftovers = await findLeftovers(maildir, account, new Map(), []);
  t.same(leftovers.delivered, []);
  t.same(leftovers.held, [{ tmpName, record: record('doubtful') }], 'it came whole');
  t.same(leftovers.rubbish, [other], 'it did not');
});

t.test('what was recorded is only removed', async (t) => {
  const maildir = makeMaildir(t);
  writeFileSync(join(maildir, 'tmp', tmpName), whole);
  for (const state of ['stored', 'doubtful'] as const) {
    const leftovers = await findLeftovers(
      ...([maildir, account, new Map([[stamp, record(state)]]), []] as const),
    );
    t.same(leftovers, { delivered: [], rubbish: [tmpName], held: [] });
  }
});

t.test('a rename that was under way is believed when the final name is there', async (t) => {
  const maildir = makeMaildir(t);
  const records = new Map([[stamp, record('storing')]]);
  const { delivered } = await findLeftovers(maildir, account, records, [finalName]);
  t.same(delivered, [record('doubtful')]);
  t.same(await findLeftovers(maildir, account, records, []), {
    ...{ delivered: [], rubbish: [], held: [] },
  });
});

t.test('opening the journal after a crash clears tmp of what is not held', async (t) => {
  const maildir = makeMaildir(t);
  await (await Journal.open(maildir, account, await readJournal(maildir, account), [])).close();
  const held = formatTmpName('1732184037.M000002', tag, key, 'host');
  const partial = formatTmpName('1732184037.M000003', tag, key, 'host');
  const foreign = formatTmpName(stamp, accountTag('bob@example.org'), key, 'host');
  writeFileSync(join(maildir, 'tmp', partial), unfinished);
  for (const name of [tmpName, held, foreign, '1.M2P3.other']) {
    writeFileSync(join(maildir, 'tmp', name), whole);
  }
  const recovered = await recoverJournal(maildir, account, [finalName]);
  await recovered.journal.close();
  t.same([...recovered.journal.content.records.values()], [record('doubtful')]);
  t.same(
    recovered.held.map((one) => one.tmpName),
    [held],
  );
  t.same(readdirSync(join(maildir, 'tmp')).sort(), [held, foreign, '1.M2P3.other'].sort());
});
