import t from 'tap';
import {
  formatJournalLine,
  parseJournalLine,
  type JournalLine,
  type StoredRecord,
} from '../../../../src/pop3-client/journal/journal-format.js';

const key = 'a'.repeat(32);
const contentHash = 'b'.repeat(64);
const stamp = '1732184037.M000123';

const record: StoredRecord = {
  ...{ state: 'stored', key: null, contentHash, topHash: null, listedOctets: null, stamp },
};

const lines: readonly (readonly [JournalLine, string])[] = [
  [
    { kind: 'header', account: 'ann b@example.org\n' },
    'pop3get-journal-1 ann%20b%40example.org%0A',
  ],
  [{ kind: 'tls' }, 'tls'],
  [{ kind: 'suspect', key }, `suspect ${key}`],
  [
    {
      kind: 'learned',
      learned: {
        login: { method: 'plain-after-auth', offer: 'c'.repeat(16) },
        ...{ pipeliningFailedAt: 1732184037, utf8FailedAt: null, nextLoginAt: 9 },
      },
    },
    `learned plain-after-auth ${'c'.repeat(16)} 1732184037 - 9`,
  ],
  [
    {
      kind: 'learned',
      learned: { login: null, pipeliningFailedAt: null, utf8FailedAt: 1, nextLoginAt: null },
    },
    'learned - - - 1 -',
  ],
  [
    { kind: 'record', record: { ...record, key, topHash: key, listedOctets: '120' } },
    `stored ${key} ${contentHash} 120 ${key} ${stamp}`,
  ],
  [
    { kind: 'record', record: { ...record, state: 'doubtful' } },
    `doubtful - ${contentHash} - ${stamp}`,
  ],
  [
    { kind: 'record', record: { ...record, state: 'storing' } },
    `storing - ${contentHash} - ${stamp}`,
  ],
];

for (const [line, text] of lines) {
  t.test(`${text.slice(0, 10)} is written and read back`, (t) => {
    t.equal(formatJournalLine(line), `${text}\n`);
    t.same(parseJournalLine(text), line);
    t.end();
  });
}

t.test('a line cut off anywhere says nothing', (t) => {
  for (const top of ['', `${key} `]) {
    const whole = `stored ${key} ${contentHash} 120 ${top}${stamp}`;
    for (let length = 0; length < whole.length; length += 1) {
      t.equal(parseJournalLine(whole.slice(0, length)), null);
    }
  }
  t.end();
});

for (const text of [
  '',
  'learned plain no-digest - - -',
  'learned - - -',
  'learned - - soon - -',
  'stored',
  `stored ${key} ${contentHash} 120 ${stamp} more`,
  `stored ${key.toUpperCase()} ${contentHash} 120 ${stamp}`,
  `stored ${key} ${contentHash} 120 now`,
  `Stored ${key} ${contentHash} 120 ${stamp}`,
  'suspect x',
  'tls now',
  'pop3get-journal-1 %',
  'pop3get-journal-2 ann',
]) {
  t.test(`"${text.slice(0, 40)}" says nothing`, (t) => {
    t.equal(parseJournalLine(text), null);
    t.end();
  });
}
