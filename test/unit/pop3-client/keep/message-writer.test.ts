import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { MessageWriter, roomOctets } from '../../../../src/pop3-client/keep/message-writer.js';

t.test('messages in one room, one after the other, are stored and hashed whole', async (t) => {
  const maildir = t.testdir();
  mkdirSync(join(maildir, 'tmp'));
  const room = Buffer.allocUnsafe(roomOctets);
  const trace = 'Received: by test\n';
  const waiting = [];
  for (const octets of [0, 1, 4096, roomOctets - trace.length, roomOctets, 3 * roomOctets]) {
    const text = `Subject: ${octets}\r\n\r\n\rx\r\r\n${'0123456\r\n'.repeat(octets / 9)}\r`;
    const stored = text.replace(/\r\n/g, '\n');
    for (const pieceOctets of [1000, 16_384]) {
      const name = `${octets}-${pieceOctets}`;
      const writer = new MessageWriter(maildir, name, Buffer.from(trace), room, () => null);
      for (let at = 0; at < text.length; at += pieceOctets) {
        writer.write(Buffer.from(text.slice(at, at + pieceOctets)));
      }
      waiting.push({ name, stored, finished: writer.finish() });
    }
  }
  for (const { name, stored, finished } of waiting) {
    const { contentHash } = await finished;
    t.equal(contentHash, createHash('sha256').update(stored).digest('hex'), name);
    t.equal(readFileSync(join(maildir, 'tmp', name), 'latin1'), `${trace}${stored}`, name);
  }
});
