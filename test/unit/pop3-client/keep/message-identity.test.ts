import { createHash } from 'node:crypto';
import t from 'tap';
import {
  IdentityHash,
  type MessageIdentity,
} from '../../../../src/pop3-client/keep/message-identity.js';
import { chunkings } from '../../../support/sessions/chunkings.js';

function identify(pieces: readonly Buffer[]): MessageIdentity {
  const hash = new IdentityHash();
  for (const piece of pieces) hash.update(piece);
  return hash.digest();
}

function sha256(text: string): string {
  return createHash('sha256').update(text, 'latin1').digest('hex');
}

const body = Array.from({ length: 25 }, (_, index) => `line ${index}\n`);
const fields = 'From: a\nSubject: b\n folded\nStatistics: c\n';
const plain = `${fields}\n${body.join('')}`;

for (const [what, text, kept] of [
  ['a plain message', plain, plain],
  [
    'fields of mbox servers',
    `Status: RO\n${fields}X-UID: 7\nX-Keywords: a\n\tb\n\nStatus: x\n`,
    `${fields}\nStatus: x\n`,
  ],
  [
    'fields in any case, at the end of the header',
    `${fields}content-LENGTH: 12\nX-IMAPbase: 1 2\n\nx`,
    `${fields}\nx`,
  ],
  ['only such fields', 'Status: O\nX-Status: \n\n', '\n'],
  ['no header', 'no header at all\n', 'no header at all\n'],
  ['an unfinished line', 'Subject: x\nStatus', 'Subject: x\nStatus'],
  ['nothing', '', ''],
] as const) {
  t.test(`${what}: the identity leaves out what servers add, however it is cut`, (t) => {
    for (const { split } of chunkings) {
      const { contentHash, wholeHash } = identify(split(Buffer.from(text, 'latin1')));
      t.equal(contentHash, sha256(kept));
      t.equal(wholeHash, text === kept ? null : sha256(text));
    }
    t.end();
  });
}

t.test('the top is the header and twenty lines, whatever else a server sends', (t) => {
  const top = sha256(`${fields}\n${body.slice(0, 20).join('')}`).slice(0, 32);
  for (const lineCount of [20, 21, 25]) {
    const text = Buffer.from(`${fields}Status: R\n\n${body.slice(0, lineCount).join('')}`);
    for (const { split } of chunkings) t.equal(identify(split(text)).topHash, top);
  }
  t.not(identify([Buffer.from(`${fields}\n${body.slice(0, 19).join('')}`)]).topHash, top);
  t.end();
});
