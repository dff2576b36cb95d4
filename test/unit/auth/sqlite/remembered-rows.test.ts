// When remembered rows are believed: as long as nothing can have changed in the file that was read.

import {
  type BigIntStats,
  renameSync,
  statSync as stat,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { RememberedRows } from '../../../../src/auth/sqlite/remembered-rows.js';

const statSync = (file: string): BigIntStats => stat(file, { bigint: true });

interface Row {
  readonly text: string;
}

interface Fixture {
  readonly file: string;
  readonly rows: RememberedRows<Row>;
  readonly look: () => void;
}

/** A file that nobody has written to for an hour, as the clock says. */
function fixture(t: Test, capacity = 3): Fixture {
  const file = join(t.testdir({}), 'db');
  writeOldFile(file, 'pages');
  const nowMs = Date.now() + 3_600_000;
  const rows = new RememberedRows<Row>(file, capacity, { now: () => nowMs });
  const look = (): void => rows.look(statSync(file));
  look();
  return { file, rows, look };
}

/** A file system's clock can stand still for milliseconds: whoever writes next leaves another time all the same. */
function writeOldFile(file: string, text: string): void {
  writeFileSync(file, text);
  utimesSync(file, 1, 1);
}

t.test('a row is remembered while nobody writes', (t) => {
  const { rows, look } = fixture(t);
  t.equal(rows.find('ann'), undefined);
  rows.add('ann', { text: 'row' });
  look();
  t.match(rows.find('ann'), { text: 'row' });
  t.end();
});

t.test('what was used longest ago makes room', (t) => {
  const { rows, look } = fixture(t, 2);
  for (const key of ['ann', 'ben']) rows.add(key, { text: key });
  look();
  t.match(rows.find('ann'), { text: 'ann' });
  rows.add('cat', { text: 'cat' });
  t.strictSame(
    ['ann', 'ben', 'cat'].map((key) => rows.find(key)?.text),
    ['ann', undefined, 'cat'],
  );
  t.end();
});

t.test('with no room nothing is remembered, nor looked at', (t) => {
  const rows = new RememberedRows<Row>('/nonexistent/db', 0);
  rows.look(statSync('/'));
  rows.add('ann', { text: 'row' });
  t.equal(rows.find('ann'), undefined);
  t.end();
});

const changes: readonly (readonly [what: string, change: (file: string) => void])[] = [
  ['the file is written to', (file) => writeFileSync(file, 'other')],
  ['the file grows', (file) => writeFileSync(file, 'more pages')],
  ['the file is cut off', (file) => truncateSync(file, 1)],
  [
    'the file is replaced by one with the same size and time of change',
    (file) => {
      writeOldFile(`${file}.new`, 'pages');
      renameSync(`${file}.new`, file);
    },
  ],
  [
    'the file is written to and its time put back',
    (file) => {
      const { ctimeNs } = statSync(file);
      while (statSync(file).ctimeNs === ctimeNs) writeOldFile(file, 'other');
    },
  ],
];

for (const [what, change] of changes) {
  t.test(`all is forgotten when ${what}`, (t) => {
    const { file, rows, look } = fixture(t);
    rows.add('ann', { text: 'row' });
    change(file);
    look();
    t.equal(rows.find('ann'), undefined);
    t.end();
  });
}

t.test('a file from the future is not believed', (t) => {
  const { file, rows, look } = fixture(t);
  const inADay = Date.now() / 1000 + 86_400;
  utimesSync(file, inADay, inADay);
  look();
  rows.add('ann', { text: 'row' });
  look();
  t.equal(rows.find('ann'), undefined);
  t.end();
});
