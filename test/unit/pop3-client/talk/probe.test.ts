import t from 'tap';
import { LostStep } from '../../../../src/pop3-client/settings/failures.js';
import type { Entry } from '../../../../src/pop3-client/talk/listing.js';
import { formatProbe, judgeProbe, probeKindFor } from '../../../../src/pop3-client/talk/probe.js';

const entry: Entry = { number: 3, uniqueId: 'abc', listedOctets: '120', expectedOctets: 120 };
const ok = (text: string) => ({ isOk: true, text });

t.test('a probe asks for one message', (t) => {
  t.equal(formatProbe('UIDL', entry), 'UIDL 3\r\n');
  t.equal(formatProbe('LIST', entry), 'LIST 3\r\n');
  t.equal(formatProbe('NOOP', entry), 'NOOP\r\n');
  t.end();
});

t.test('only the answer as it was listed is in step', (t) => {
  t.equal(judgeProbe('UIDL', entry, ok('3 abc')), 'in-step');
  t.equal(judgeProbe('LIST', entry, ok('3 120 and more')), 'in-step');
  t.equal(judgeProbe('UIDL', entry, { isOk: false, text: '3 abc' }), 'unknown');
  for (const text of ['', '120 octets', '4 abc', '3 abd', '3', '03 abc']) {
    t.throws(() => judgeProbe('UIDL', entry, ok(text)), {
      constructor: LostStep,
      message: /reply was due|endless|other than/,
    });
  }
  t.throws(() => judgeProbe('LIST', entry, ok('3 121')), {
    constructor: LostStep,
    message: /reply was due|endless|other than/,
  });
  t.end();
});

t.test('a message without unique-id is asked for by LIST', (t) => {
  t.equal(probeKindFor(entry, 'UIDL'), 'UIDL');
  t.equal(probeKindFor({ ...entry, uniqueId: null }, 'UIDL'), 'LIST');
  t.equal(probeKindFor(entry, 'LIST'), 'LIST');
  t.equal(probeKindFor(entry, 'NOOP'), 'NOOP');
  t.end();
});
