// When remembered rows are believed: as long as nothing can have changed in the file or its write-ahead log.

import { renameSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { RememberedRows } from '../../../../src/auth/database/remembered-rows.js';

interface Fixture {
  readonly file: string;
  readonly rows: RememberedRows<string>;
  readonly look: () => void;
}

/** A file that nobody has written to for an hour, as the clock says. */
function fixture(t: Test, capacity = 3): Fixture {
  const file = join(t.testdir({}), 'db');
  writeOldFile(file, 'pages');
  const nowMs = Date.now() + 3_600_000;
  const rows = new RememberedRows<string>(file, capacity, () => nowMs);
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
  rows.add('ann', 'row');
  look();
  t.equal(rows.find('ann'), 'row');
  t.end();
});

t.test('what was used longest ago makes room', (t) => {
  const { rows, look } = fixture(t, 2);
  for (const key of ['ann', 'ben']) rows.add(key, key);
  look();
  t.equal(rows.find('ann'), 'ann');
  rows.add('cat', 'cat');
  t.strictSame(
    ['ann', 'ben', 'cat'].map((key) => rows.find(key)),
    ['ann', undefined, 'cat'],
  );
  t.end();
});

t.test('with no room nothing is remembered, nor looked at', (t) => {
  const rows = new RememberedRows<string>('/nonexistent/db', 0);
  rows.look(statSync('/'));
  rows.add('ann', 'row');
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
      const { ctimeMs } = statSync(file);
      while (statSync(file).ctimeMs === ctimeMs) writeOldFile(file, 'other');
    },
  ],
  ['a write-ahead log appears', (file) => writeFileSync(`${file}-wal`, 'frames')],
];

for (const [what, change] of changes) {
  t.test(`all is forgotten when ${what}`, (t) => {
    const { file, rows, look } = fixture(t);
    rows.add('ann', 'row');
    change(file);
    look();
    t.equal(rows.find('ann'), undefined);
    t.end();
  });
}

t.test('all is forgotten when the write-ahead log changes, or goes', (t) => {
  const { file, rows, look } = fixture(t);
  const log = `${file}-wal`;
  for (const change of [
    () => writeOldFile(log, 'frames'),
    () => writeFileSync(log, 'others'),
    () => renameSync(log, `${file}-gone`),
  ]) {
    rows.add('ann', 'row');
    change();
    look();
    t.equal(rows.find('ann'), undefined);
  }
  t.end();
});

for (const name of ['db', 'db-wal']) {
  t.test(`nothing is remembered until a change of ${name} is older than the clock's grain`, (t) => {
    const folder = t.testdir({ db: 'pages', 'db-wal': 'frames' });
    const file = join(folder, 'db');
    const changedMs = Date.now() + 3_600_000;
    utimesSync(join(folder, name), changedMs / 1000, changedMs / 1000);
    let nowMs = 0;
    const rows = new RememberedRows<string>(file, 3, () => nowMs);
    const isKept = (): boolean => {
      rows.look(statSync(file));
      rows.add('ann', 'row');
      rows.look(statSync(file));
      return rows.find('ann') !== undefined;
    };
    nowMs = changedMs + 2490;
    t.equal(isKept(), false, 'the next change could have the same time');
    nowMs = changedMs + 2510;
    t.equal(isKept(), true);
    t.end();
  });
}

t.test('a file from the future is not believed', (t) => {
  const { file, rows, look } = fixture(t);
  const inADay = Date.now() / 1000 + 86_400;
  utimesSync(file, inADay, inADay);
  look();
  rows.add('ann', 'row');
  look();
  t.equal(rows.find('ann'), undefined);
  t.end();
});
