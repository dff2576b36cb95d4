import {
  appendFileSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import t from 'tap';
import { Journal } from '../../../../src/pop3-client/journal/journal.js';
import { readJournal } from '../../../../src/pop3-client/journal/journal-file.js';
import type { StoredRecord } from '../../../../src/pop3-client/journal/journal-format.js';

const account = 'ann@example.org';
const record = (digit: string): StoredRecord => ({
  ...{ state: 'stored', key: digit.repeat(32), contentHash: digit.repeat(64) },
  ...{ topHash: digit.repeat(32), listedOctets: '10', stamp: `1732184037.M00012${digit}` },
});

async function openJournal(maildir: string): Promise<Journal> {
  return Journal.open(maildir, account, await readJournal(maildir, account), []);
}

function journalPath(maildir: string): string {
  const [name = ''] = readdirSync(maildir).filter((one) => one.endsWith('.journal'));
  return join(maildir, name);
}

t.test('no journal: nothing is known, and that is known', async (t) => {
  const content = await readJournal(t.testdir({}), account);
  t.same([[...content.records.values()], content.sawTls, content.existed], [[], false, false]);
});

t.test('what was added is there after the next opening', async (t) => {
  const maildir = t.testdir({});
  const journal = await openJournal(maildir);
  await journal.addRecords([record('1'), record('2')]);
  await journal.addSuspects(['3'.repeat(32), '3'.repeat(32)]);
  await journal.addTls();
  await journal.close();
  const content = await readJournal(maildir, account);
  t.same([...content.records.values()], [record('1'), record('2')]);
  t.same([...content.suspects], [['3'.repeat(32), 2]]);
  t.same([content.sawTls, content.existed], [true, true]);
});

t.test('replacing leaves just what was given, and the knowledge of TLS', async (t) => {
  const maildir = t.testdir({});
  const journal = await openJournal(maildir);
  await journal.addTls();
  await journal.addRecords([record('1'), record('2')]);
  await journal.replace([record('2')], new Map());
  await journal.addRecords([record('3')]);
  await journal.close();
  const content = await readJournal(maildir, account);
  t.same([...content.records.values()], [record('2'), record('3')]);
  t.equal(content.sawTls, true);
  t.same(
    readdirSync(maildir).filter((name) => name.endsWith('.tmp')),
    [],
  );
});

t.test('a line that a crash cut off is dropped, and the next one stands alone', async (t) => {
  const maildir = t.testdir({});
  const first = await openJournal(maildir);
  await first.addRecords([record('1')]);
  await first.close();
  appendFileSync(journalPath(maildir), `stored ${'2'.repeat(32)} ${'2'.repeat(30)}`);
  t.same([...(await readJournal(maildir, account)).records.values()], [record('1')]);
  const second = await openJournal(maildir);
  await second.addRecords([record('3')]);
  await second.close();
  t.same([...(await readJournal(maildir, account)).records.values()], [record('1'), record('3')]);
});

t.test('rubbish, and a journal of another account, say nothing', async (t) => {
  const maildir = t.testdir({});
  await (await openJournal(maildir)).close();
  const path = journalPath(maildir);
  const line = `stored ${'1'.repeat(32)} ${'1'.repeat(64)} 10 1732184037.M000123\n`;
  for (const text of [
    'pop3get-journal-1 bob%40example.org\n' + line,
    line,
    '\0\0\0\0\n' + line,
    `pop3get-journal-1 ${account}`,
  ]) {
    writeFileSync(path, text);
    t.same([...(await readJournal(maildir, account)).records.values()], []);
  }
});

t.test('accounts have journals of their own in one Maildir', async (t) => {
  const maildir = t.testdir({});
  const journal = await openJournal(maildir);
  await journal.addRecords([record('1')]);
  await journal.close();
  t.same([...(await readJournal(maildir, 'bob@example.org')).records.values()], []);
});

t.test('the text is for people too', async (t) => {
  const maildir = t.testdir({});
  const journal = await openJournal(maildir);
  await journal.addRecords([record('1')]);
  await journal.close();
  t.match(
    readFileSync(journalPath(maildir), 'utf8'),
    /^pop3get-journal-1 ann%40example.org\nstored 1+/,
  );
});

t.test('of two records with one stamp the later one counts', async (t) => {
  const maildir = t.testdir({});
  const journal = await openJournal(maildir);
  await journal.addRecords([{ ...record('1'), state: 'storing' }, record('1')]);
  await journal.close();
  t.same([...(await readJournal(maildir, account)).records.values()], [record('1')]);
});

t.test('a copy made of hard links is not told of what comes later', async (t) => {
  const maildir = t.testdir({});
  const journal = await openJournal(maildir);
  await journal.addRecords([record('1')]);
  const copy = join(maildir, 'copy');
  mkdirSync(copy);
  linkSync(journalPath(maildir), join(copy, basename(journalPath(maildir))));
  await journal.addRecords([record('2')]);
  await journal.close();
  t.same([...(await readJournal(copy, account)).records.values()], [record('1')]);
  t.equal((await readJournal(maildir, account)).records.size, 2);
});
