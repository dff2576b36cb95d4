import t from 'tap';
import { accountTag } from '../../../../src/pop3-client/journal/message-key.js';
import {
  formatDeliveredName,
  formatTmpName,
  parseDeliveredName,
  parseTmpName,
} from '../../../../src/pop3-client/keep/delivered-name.js';

const stamp = '1732184037.M000001';
const account = 'ann@example.org';

t.test("delivered names are known again with flags, and others' names are not", (t) => {
  const hash = 'c'.repeat(32);
  const name = formatDeliveredName(stamp, hash, 'host.example');
  t.equal(parseDeliveredName(name), hash);
  t.equal(parseDeliveredName(`${name}:2,FS`), hash);
  t.equal(parseDeliveredName('1732184037.M1P2.host'), null);
  t.equal(parseDeliveredName(`${stamp}U${hash.slice(1)}.host`), null);
  t.end();
});

t.test('a name in tmp tells stamp and key to its own account only', (t) => {
  const key = 'd'.repeat(32);
  const tag = accountTag(account);
  const bobsTag = accountTag('bob@example.org');
  t.same(parseTmpName(formatTmpName(stamp, tag, key, 'host'), account), { stamp, key });
  t.same(parseTmpName(formatTmpName(stamp, tag, null, 'host'), account), { stamp, key: null });
  t.equal(parseTmpName(formatTmpName(stamp, bobsTag, key, 'host'), account), null);
  t.equal(parseTmpName('1732184037.M1P2.host', account), null);
  t.end();
});
