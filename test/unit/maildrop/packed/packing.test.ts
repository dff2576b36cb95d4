// How messages that are not stored as text are told from those that are.

import t from 'tap';
import { bzip2, gzipped, lz4 } from '../../../support/mail/packed-messages.js';
import { packingOf } from '../../../../src/maildrop/packed/packing.js';

const letter = Buffer.from('Subject: x\n\nx\n');

t.strictSame(packingOf(gzipped(letter)), 'gzip');
t.strictSame(packingOf(bzip2), 'bzip2');
t.strictSame(packingOf(lz4), 'LZ4');
t.strictSame(packingOf(Buffer.from('CRYPTED\x03\x07\x02\0', 'latin1')), 'encrypted');
t.strictSame(packingOf(Buffer.from('28b52ffd0058', 'hex')), 'zstd');

for (const text of [
  '',
  'B',
  'BZh: a header field\n\n',
  'BZh9: x\n\n',
  'CRYPTED: yes\n',
  '(',
  'Dovecot-LZ4: x\n',
]) {
  t.equal(packingOf(Buffer.from(text)), null, JSON.stringify(text));
}
