import { PassThrough } from 'node:stream';
import t from 'tap';
import { ByteSource } from '../../../../src/pop3-client/talk/byte-source.js';
import {
  ConnectionClosed,
  FellSilent,
  LostStep,
  MessageTooLarge,
} from '../../../../src/pop3-client/settings/failures.js';
import { ReplyReader } from '../../../../src/pop3-client/talk/reply-reader.js';

/** A reader of the given bytes, in pieces of the given size. */
function readerOf(text: string, pieceOctets = 1 << 20, timeoutMs = 5000): ReplyReader {
  const stream = new PassThrough();
  const reader = new ReplyReader(new ByteSource(stream), timeoutMs);
  const bytes = Buffer.from(text, 'latin1');
  for (let at = 0; at < bytes.length; at += pieceOctets) {
    stream.write(bytes.subarray(at, at + pieceOctets));
  }
  return reader;
}

const limits = { maxLineOctets: 20, maxOctets: 1000 };

for (const size of [1, 2, 3, 7, 1 << 20]) {
  t.test(`replies in pieces of ${size} octets`, async (t) => {
    const reader = readerOf(
      '+OK hello\r\n' +
        '-ERR [SYS/TEMP] no\r\n' +
        '1 2\r\n3 4\r\n.\r\n' +
        'a\r\n..b\r\n.\r\n' +
        '+ Zm9v\r\n' +
        '+OK\r\n',
      size,
    );
    t.same(await reader.readResponse(), { isOk: true, code: null, text: 'hello' });
    t.same(await reader.readResponse(), { isOk: false, code: 'SYS/TEMP', text: 'no' });
    const lines: string[] = [];
    await reader.readLines(limits, (line) => lines.push(line.toString()));
    t.same(lines, ['1 2', '3 4']);
    const pieces: Buffer[] = [];
    const octets = await reader.readMessage(100, (piece) => {
      pieces.push(piece);
      return undefined;
    });
    t.equal(Buffer.concat(pieces).toString(), 'a\r\n.b\r\n');
    t.equal(octets, 7);
    t.same(await reader.readSaslReply(), { kind: 'challenge', base64: 'Zm9v' });
    t.match(await reader.readSaslReply(), { kind: 'response', response: { isOk: true } });
    t.equal(reader.takeSurplus(), false);
  });
}

for (const line of ['hello', '+OKAY', '+ok?', '* OK', '', '.', 'ERR']) {
  t.test(`"${line}" is no status line`, async (t) => {
    await t.rejects(readerOf(`${line}\r\n`).readResponse(), {
      constructor: LostStep,
      message: /reply was due|endless|other than/,
    });
  });
}

t.test('a status line that ends in LF alone is refused by name', async (t) => {
  await t.rejects(readerOf('+OK\n').readResponse(), /LF alone/);
});

t.test('lines over the limit, or with a lone LF, are left out of a listing', async (t) => {
  const lines: string[] = [];
  const reader = readerOf(`${'x'.repeat(50)}\r\n1 1\r\n2\n2 2\r\n3 3\r\n.\r\n`, 5);
  await reader.readLines(limits, (line) => lines.push(line.toString()));
  t.same(lines, ['1 1', '2 2', '3 3']);
});

t.test('an endless listing and an endless message end', async (t) => {
  await t.rejects(
    readerOf('1 1\r\n'.repeat(1000)).readLines(limits, () => undefined),
    { constructor: LostStep, message: /reply was due|endless|other than/ },
  );
  await t.rejects(
    readerOf('x'.repeat(2000)).readMessage(1000, () => undefined),
    { constructor: MessageTooLarge, message: /larger than/ },
  );
});

t.test('silence ends in time', async (t) => {
  await t.rejects(readerOf('+OK', 3, 50).readResponse(), {
    constructor: FellSilent,
    message: /silent/,
  });
  await t.rejects(
    readerOf('x', 3, 50).readMessage(10, () => undefined),
    { constructor: FellSilent, message: /silent/ },
  );
});

t.test('bytes that nobody asked for are noticed', async (t) => {
  const reader = readerOf('+OK\r\n+OK more');
  await reader.readResponse();
  t.equal(reader.takeSurplus(), true);
  t.equal(reader.takeSurplus(), false);
});

t.test('a stream that ends within a reply is a lost connection, not a short message', async (t) => {
  const stream = new PassThrough();
  const reader = new ReplyReader(new ByteSource(stream), 5000);
  stream.end('text\r\n.\r');
  await t.rejects(
    reader.readMessage(100, () => undefined),
    { constructor: ConnectionClosed, message: /the server closed the connection/ },
  );
});
