import t from 'tap';
import {
  traceHeaderFormat,
  traceHeaderLength,
} from '../../../../src/pop3-client/keep/trace-header.js';

type Parts = Parameters<typeof traceHeaderFormat>[0] & { id: string; receivedAt: Date };

function formatTraceHeader({ id, receivedAt, ...parts }: Parts): Buffer {
  return traceHeaderFormat(parts)(id, receivedAt);
}

const parts = {
  serverName: 'mail.example.org.',
  serverAddress: '192.0.2.1',
  localName: 'here.example',
  id: '1732184037.M000123',
  receivedAt: new Date(Date.UTC(2026, 10, 21, 10, 13, 57)),
};

t.test('the field says who, where, how and when, as RFC 5321 §4.4 words it', (t) => {
  t.equal(
    formatTraceHeader(parts).toString(),
    'Received: from mail.example.org ([192.0.2.1])\n' +
      '\tby here.example with POP3 id 1732184037.M000123;\n' +
      '\tSat, 21 Nov 2026 10:13:57 +0000\n',
  );
  t.end();
});

t.test('addresses are literals', (t) => {
  const six = { ...parts, serverName: '2001:db8::1', serverAddress: '2001:db8::1' };
  t.match(formatTraceHeader(six).toString(), 'from [IPv6:2001:db8::1] ([IPv6:2001:db8::1])\n');
  const four = { ...parts, serverName: '192.0.2.1' };
  t.match(formatTraceHeader(four).toString(), 'from [192.0.2.1] ([192.0.2.1])\n');
  t.end();
});

t.test('no part can end the field or pose as another', (t) => {
  const evil = 'x\r\nSubject: forged; (Fri) <a@b>';
  const header = formatTraceHeader({ ...parts, serverName: evil, localName: evil, id: evil });
  t.equal(header.toString().split('\n').length, 4);
  t.notMatch(header.toString(), /Subject:|forged;|\(Fri/);
  t.end();
});

t.test('its length is found again, even before a line that starts with a tab', (t) => {
  const header = formatTraceHeader(parts);
  for (const body of ['', 'Subject: x\n', '\tlooks folded\n', '\n']) {
    t.equal(traceHeaderLength(Buffer.concat([header, Buffer.from(body)])), header.length);
  }
  t.end();
});
