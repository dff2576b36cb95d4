import t from 'tap';
import type { StoredRecord } from '../../../../src/pop3-client/keep/journal-format.js';
import type { Entry } from '../../../../src/pop3-client/talk/listing.js';
import { deliveredKey, uniqueIdKey } from '../../../../src/pop3-client/keep/message-key.js';
import { formatDeliveredName } from '../../../../src/pop3-client/keep/recovery.js';
import { StoredMessages } from '../../../../src/pop3-client/keep/stored-messages.js';

const account = 'ann@example.org';
const hash = 'a'.repeat(64);
const stamp = '1732184037.M000001';
const keyOf = (uniqueId: string): string => uniqueIdKey(account, uniqueId);
const entry = (uniqueId: string | null, listedOctets: string | null = '10'): Entry => ({
  number: 1,
  uniqueId,
  listedOctets,
  expectedOctets: 10,
});
const record = (key: string | null, listedOctets: string | null = '10'): StoredRecord => ({
  key,
  contentHash: hash,
  listedOctets,
  stamp,
});

t.test('a unique-id and a size that the journal has are known without fetching', (t) => {
  const stored = new StoredMessages(account, [record(keyOf('a'))], [], true);
  t.not(stored.takeListed(entry('a')), null);
  t.equal(stored.takeListed(entry('a')), null, 'once');
  t.equal(stored.takeListed(entry('b')), null);
  t.equal(stored.takeListed(entry(null)), null);
  t.end();
});

t.test('a unique-id that comes back with another size is fetched', (t) => {
  const stored = new StoredMessages(account, [record(keyOf('a'))], [], true);
  t.equal(stored.takeListed(entry('a', '11')), null);
  t.equal(stored.takeFetched(keyOf('a'), hash), 'journal', 'and known by its content');
  t.end();
});

t.test('a record of a recovery has no size to differ in', (t) => {
  const stored = new StoredMessages(account, [record(keyOf('a'), null)], [], true);
  t.not(stored.takeListed(entry('a')), null);
  t.end();
});

t.test('the same content under another unique-id is another message', (t) => {
  const stored = new StoredMessages(account, [record(keyOf('a'))], [], true);
  t.equal(stored.takeFetched(keyOf('b'), hash), 'nowhere');
  t.end();
});

t.test('without unique-ids a record stands for one of several equal messages', (t) => {
  const stored = new StoredMessages(account, [record(null)], [], true);
  t.equal(stored.takeFetched(null, hash), 'journal');
  t.equal(stored.takeFetched(null, hash), 'nowhere');
  t.end();
});

t.test(
  'a name in the Maildir counts for a unique-id, and without one only when the journal is lost',
  (t) => {
    const name = (key: string | null): string =>
      `${formatDeliveredName(stamp, deliveredKey(account, key, hash), 'host')}:2,S`;
    const names = [name(keyOf('a')), name(null)];
    const withJournal = new StoredMessages(account, [], names, true);
    t.equal(withJournal.takeFetched(keyOf('a'), hash), 'maildir');
    t.equal(withJournal.takeFetched(keyOf('a'), hash), 'nowhere');
    t.equal(withJournal.takeFetched(null, hash), 'nowhere');
    const without = new StoredMessages(account, [], names, false);
    t.equal(without.takeFetched(null, hash), 'maildir');
    t.equal(without.takeFetched(null, hash), 'nowhere');
    t.end();
  },
);
