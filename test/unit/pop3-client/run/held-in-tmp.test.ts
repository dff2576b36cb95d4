import t from 'tap';
import type { StoredRecord } from '../../../../src/pop3-client/journal/journal-format.js';
import { uniqueIdKey } from '../../../../src/pop3-client/journal/message-key.js';
import type { HeldMessage } from '../../../../src/pop3-client/keep/recovery.js';
import {
  judgeByContent,
  judgeByListing,
  type HeldVerdicts,
} from '../../../../src/pop3-client/run/held-in-tmp.js';
import type { MailboxListing } from '../../../../src/pop3-client/talk/listing.js';

const account = 'ann@example.org';
const hashOf = (letter: string): string => letter.repeat(64);

/** A message with this content. @param uniqueId null where the server gave none */
function held(letter: string, uniqueId: string | null): HeldMessage {
  return { tmpName: `of ${letter}`, record: recordOf(letter, uniqueId) };
}

function recordOf(letter: string, uniqueId: string | null): StoredRecord {
  return {
    ...{ state: 'doubtful', key: uniqueId === null ? null : uniqueIdKey(account, uniqueId) },
    ...{ contentHash: hashOf(letter), topHash: null, listedOctets: '10' },
    stamp: '1732184037.M000001',
  };
}

function listing(
  uniqueIds: readonly (string | null)[],
  found: Partial<MailboxListing> = {},
): MailboxListing {
  const size = { listedOctets: '10', expectedOctets: 10 };
  return {
    entries: uniqueIds.map((uniqueId, index) => ({ ...size, number: index + 1, uniqueId })),
    ...{ hasUniqueIds: true, ignoredLines: 0, isCut: false, firstUniqueId: null },
    ...found,
  };
}

/** Each verdict as the letters of its messages. */
const letters = ({ gone, listed, open }: HeldVerdicts): Record<string, string> => ({
  gone: gone.map(({ tmpName }) => tmpName.slice(3)).join(''),
  listed: listed.map(({ tmpName }) => tmpName.slice(3)).join(''),
  open: open.map(({ tmpName }) => tmpName.slice(3)).join(''),
});

const messages = [held('a', 'id-a'), held('b', 'id-b'), held('c', null)];

for (const [what, listed, expected] of [
  ['some are listed', listing(['id-b', 'id-x']), { gone: 'a', listed: 'b', open: 'c' }],
  ['none is listed', listing(['id-x']), { gone: 'ab', listed: '', open: 'c' }],
  ['the mailbox is empty', listing([]), { gone: 'abc', listed: '', open: '' }],
  [
    'the mailbox is empty and UIDL is not known',
    listing([], { hasUniqueIds: false }),
    { gone: 'abc', listed: '', open: '' },
  ],
  ['a line was no listing', listing(['id-x'], { ignoredLines: 1 }), { open: 'abc' }],
  ['all lines were no listing', listing([], { ignoredLines: 2 }), { open: 'abc' }],
  ['more is listed than a run takes', listing(['id-x'], { isCut: true }), { open: 'abc' }],
  ['there are no unique-ids', listing([null], { hasUniqueIds: false }), { open: 'abc' }],
  ['one message has no unique-id', listing(['id-x', null]), { open: 'abc' }],
] as const) {
  t.test(`held messages when ${what}`, (t) => {
    const verdicts = letters(judgeByListing(messages, listed, account));
    t.same(verdicts, Object.assign({ gone: '', listed: '', open: '' }, expected));
    t.end();
  });
}

t.test("another account's unique-id says nothing about a message", (t) => {
  const verdicts = judgeByListing([held('a', 'id-a')], listing(['id-a']), 'bob@example.org');
  t.same(letters(verdicts), { gone: 'a', listed: '', open: '' });
  t.end();
});

for (const [what, present, isComplete, expected] of [
  ['the same content is there', 'ab', true, { gone: 'c', listed: 'ab' }],
  ['not every message is known', 'ab', false, { listed: 'ab', open: 'c' }],
  ['nothing is known', '', false, { open: 'abc' }],
  ['every message is known, and all are others', 'xy', true, { gone: 'abc' }],
] as const) {
  t.test(`held messages by content: ${what}`, (t) => {
    const records = Array.from(present, (letter) => recordOf(letter, null));
    const verdicts = letters(judgeByContent(messages, records, isComplete));
    t.same(verdicts, Object.assign({ gone: '', listed: '', open: '' }, expected));
    t.end();
  });
}
