import t from 'tap';
import type { StoredRecord } from '../../../../src/pop3-client/journal/journal-format.js';
import type { MessageIdentity } from '../../../../src/pop3-client/keep/message-identity.js';
import type { Entry } from '../../../../src/pop3-client/talk/listing.js';
import { deliveredKey, uniqueIdKey } from '../../../../src/pop3-client/journal/message-key.js';
import { formatDeliveredName } from '../../../../src/pop3-client/keep/delivered-name.js';
import { AlreadyStored } from '../../../../src/pop3-client/keep/already-stored.js';

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
const record = (key: string | null): StoredRecord => ({
  ...{ state: 'stored', key, contentHash: hash, topHash: null, listedOctets: '10', stamp },
});
const fetched: MessageIdentity = { contentHash: hash, wholeHash: null, topHash: '' };
const memoryOf = (stored: AlreadyStored, key: string | null): string =>
  stored.takeFetched(key, fetched).kind;

t.test('the record of a unique-id is found until its message was recognised', (t) => {
  const one = record(keyOf('a'));
  const stored = new AlreadyStored(account, [one], [], true);
  t.equal(stored.find(entry('a')), one);
  t.equal(stored.find(entry('a', '11')), one, 'whatever its size is now');
  t.equal(stored.find(entry('b')), null);
  t.equal(stored.find(entry(null)), null);
  stored.take(one);
  t.equal(stored.find(entry('a')), null);
  t.equal(memoryOf(stored, keyOf('a')), 'nowhere');
  t.end();
});

t.test('a message that was about to be stored is not remembered for that', (t) => {
  const stored = new AlreadyStored(
    account,
    [{ ...record(keyOf('a')), state: 'storing' }],
    [],
    true,
  );
  t.equal(stored.find(entry('a')), null);
  t.equal(memoryOf(stored, keyOf('a')), 'nowhere');
  t.end();
});

t.test('records of earlier versions, whose hash is of the whole message, are known', (t) => {
  const stored = new AlreadyStored(account, [record(keyOf('a'))], [], true);
  const identity = { contentHash: 'b'.repeat(64), wholeHash: hash, topHash: '' };
  t.equal(stored.takeFetched(keyOf('a'), identity).kind, 'journal');
  t.end();
});

t.test('the same content under another unique-id is another message', (t) => {
  const stored = new AlreadyStored(account, [record(keyOf('a'))], [], true);
  t.equal(memoryOf(stored, keyOf('b')), 'nowhere');
  t.end();
});

t.test('without unique-ids a record stands for one of several equal messages', (t) => {
  const stored = new AlreadyStored(account, [record(null)], [], true);
  t.equal(memoryOf(stored, null), 'journal');
  t.equal(memoryOf(stored, null), 'nowhere');
  t.end();
});

t.test(
  'a name in the Maildir counts for a unique-id, and without one only when the journal is lost',
  (t) => {
    const name = (key: string | null): string =>
      `${formatDeliveredName(stamp, deliveredKey(account, key, hash), 'host')}:2,S`;
    const names = [name(keyOf('a')), name(null)];
    const withJournal = new AlreadyStored(account, [], names, true);
    t.equal(memoryOf(withJournal, keyOf('a')), 'maildir');
    t.equal(memoryOf(withJournal, keyOf('a')), 'nowhere');
    t.equal(memoryOf(withJournal, null), 'nowhere');
    const without = new AlreadyStored(account, [], names, false);
    t.equal(memoryOf(without, null), 'maildir');
    t.equal(memoryOf(without, null), 'nowhere');
    t.end();
  },
);
