import { createHash } from 'node:crypto';
import { linkSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { uniqueIdKey } from '../../../../src/pop3-client/keep/message-key.js';
import {
  findLeftovers,
  formatDeliveredName,
  formatTmpName,
  parseDeliveredName,
  removeLeftovers,
} from '../../../../src/pop3-client/keep/recovery.js';
import { formatTraceHeader } from '../../../../src/pop3-client/keep/trace-header.js';

const account = 'ann@example.org';
const key = uniqueIdKey(account, 'id-1');
const stamp = '1732184037.M000001';
const header = formatTraceHeader({
  serverName: 'mail.example.org',
  serverAddress: '192.0.2.1',
  localName: 'here',
  id: stamp,
  receivedAt: new Date(0),
});

t.test('a tmp file with a second link was delivered; one without was not', async (t) => {
  const maildir = t.testdir({ tmp: {}, new: {}, cur: {} });
  const delivered = formatTmpName(stamp, account, key, 'host');
  const anonymous = formatTmpName('1732184037.M000002', account, null, 'host');
  const partial = formatTmpName('1732184037.M000003', account, key, 'host');
  const foreign = formatTmpName(stamp, 'bob@example.org', key, 'host');
  for (const name of [delivered, anonymous, partial, foreign, '1.M2P3.other']) {
    writeFileSync(join(maildir, 'tmp', name), Buffer.concat([header, Buffer.from('\tbody\n')]));
  }
  linkSync(join(maildir, 'tmp', delivered), join(maildir, 'new', 'x'));
  linkSync(join(maildir, 'tmp', anonymous), join(maildir, 'cur', 'y:2,S'));
  const leftovers = await findLeftovers(maildir, account, new Set());
  const contentHash = createHash('sha256').update('\tbody\n').digest('hex');
  t.same(
    [...leftovers.delivered].sort((a, b) => (a.stamp < b.stamp ? -1 : 1)),
    [
      { key, contentHash, listedOctets: null, stamp },
      { key: null, contentHash, listedOctets: null, stamp: '1732184037.M000002' },
    ],
  );
  removeLeftovers(maildir, leftovers);
  t.same(readdirSync(join(maildir, 'tmp')).sort(), [foreign, '1.M2P3.other'].sort());
});

t.test('what the journal has is only removed', async (t) => {
  const maildir = t.testdir({ tmp: {}, new: {}, cur: {} });
  const name = formatTmpName(stamp, account, key, 'host');
  writeFileSync(join(maildir, 'tmp', name), 'x');
  linkSync(join(maildir, 'tmp', name), join(maildir, 'new', 'x'));
  const leftovers = await findLeftovers(maildir, account, new Set([stamp]));
  t.same(leftovers, { delivered: [], tmpNames: [name] });
});

t.test("delivered names are known again with flags, and others' names are not", (t) => {
  const hash = 'c'.repeat(32);
  const name = formatDeliveredName(stamp, hash, 'host.example');
  t.equal(parseDeliveredName(name), hash);
  t.equal(parseDeliveredName(`${name}:2,FS`), hash);
  t.equal(parseDeliveredName('1732184037.M1P2.host'), null);
  t.equal(parseDeliveredName(`${stamp}U${hash.slice(1)}.host`), null);
  t.end();
});
