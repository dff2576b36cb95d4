// Entries that a Maildir can have besides ordinary messages, and what a session should make of each.

import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { unlessRoot } from '../peers/debian.js';
import type { MaildirFixture } from './maildir-fixture.js';

export interface OddEntry {
  readonly title: string;
  /** latin1 bytes. */
  readonly name: string;
  readonly make: (path: Buffer) => void;
  /** What RETR says of it, or null when it is no message. */
  readonly sent: string | null;
  readonly skip?: string | false;
}

const notMessage = (
  title: string,
  make: OddEntry['make'],
  skip: string | false = false,
): OddEntry => ({
  title,
  name: '1700000001.M5P1.odd',
  make,
  sent: null,
  skip,
});
const link = (title: string, target: string): OddEntry =>
  notMessage(title, (path) => {
    symlinkSync(target, path);
  });
const named = (title: string, name: string): OddEntry => ({
  title,
  name,
  make: (path) => {
    writeFileSync(path, 'x\n');
  },
  sent: 'x\r\n\r\n',
});
const dated = (title: string, date: Date): OddEntry => ({
  ...named(title, '1700000001.M5P1.odd'),
  make: (path) => {
    writeFileSync(path, 'x\n');
    utimesSync(path, date, date);
  },
});
/** A header without an empty line after it gets one: `x` is sent as two lines. */
export const oddEntries: readonly OddEntry[] = [
  notMessage('a FIFO', (path) => void spawnSync('mkfifo', [path.toString()])),
  notMessage(
    'a device',
    (path) => void spawnSync('mknod', [path.toString(), 'c', '1', '5']),
    unlessRoot(),
  ),
  notMessage('an empty directory', (path) => {
    mkdirSync(path);
  }),
  link('a link to a file of the system', '/etc/passwd'),
  link('a link to a directory', '/etc'),
  link('a link that leads nowhere', 'nowhere'),
  link('a link to itself', '1700000001.M5P1.odd'),
  link('a link to a device without end', '/dev/zero'),
  { ...named('a hidden file', '.1700000001.M5P1.odd'), sent: null },
  {
    ...named('an empty file', '1700000001.M5P1.odd'),
    make: (path) => {
      writeFileSync(path, '');
    },
    sent: '\r\n',
  },
  named('a size in the name that is too large', '1700000001.M5P1.odd,S=9999'),
  named('a size in the name that is negative', '1700000001.M5P1.odd,S=-1'),
  named('a size in the name beyond 64 bits', '1700000001.M5P1.odd,S=99999999999999999999'),
  named('two sizes in the name', '1700000001.M5P1.odd,S=1,S=2'),
  named('octets in the name beyond 64 bits', '1700000001.M5P1.odd,W=99999999999999999999'),
  named('octets in the name that are wrong', '1700000001.M5P1.odd,W=4'),
  named('a name of 255 bytes', `1700000001.${'n'.repeat(244)}`),
  named('a name that is not UTF-8', '1700000001.\xff\xfe'),
  named('a name with a line feed', '1700000001.a\nb'),
  named('a name with a space', '1700000001.a b'),
  named('a name that begins with a hyphen', '-1700000001.odd'),
  named('a name without a time', 'odd'),
  named('a name of flags alone', ':2,S'),
  named('a name with two colons', '1700000001.odd:2,S:2,T'),
  named('flags of the old kind', '1700000002.odd:1,S'),
  named('something after the flags', '1700000004.odd:2,S,extra'),
  named('flags that nobody knows', '1700000003.odd:2,ZZZ'),
  dated('a file of 1970', new Date(0)),
  dated('a file of 2106', new Date('2106-02-08')),
];

/** Puts an entry into a Maildir. @returns its path */
export function putEntry(
  inbox: MaildirFixture,
  folder: 'new' | 'cur',
  { name, make }: OddEntry,
): Buffer {
  const path = Buffer.concat([
    Buffer.from(`${inbox.path}/${folder}/`),
    Buffer.from(name, 'latin1'),
  ]);
  make(path);
  return path;
}
