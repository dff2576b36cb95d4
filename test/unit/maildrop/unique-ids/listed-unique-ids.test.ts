import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { dovecotUniqueIds } from '../../../../src/maildrop/unique-ids/dovecot-unique-ids.js';
import { assignListedUniqueIds } from '../../../../src/maildrop/unique-ids/listed-unique-ids.js';

interface Assigned {
  readonly ids: readonly (string | null)[];
  readonly reports: readonly Readonly<Record<string, string | number>>[];
}

async function assign(
  t: Test,
  list: string | null,
  baseNames: readonly string[],
): Promise<Assigned> {
  const inbox = t.testdir(list === null ? {} : { 'dovecot-uidlist': list });
  return assignIn(inbox, baseNames);
}

async function assignIn(inbox: string, baseNames: readonly string[]): Promise<Assigned> {
  const messages = baseNames.map((baseName) => ({ baseName, uniqueId: null as string | null }));
  const reports: Readonly<Record<string, string | number>>[] = [];
  await assignListedUniqueIds([inbox], messages, dovecotUniqueIds, (event, fields) => {
    reports.push({ event, ...fields });
  });
  return { ids: messages.map(({ uniqueId }) => uniqueId), reports };
}

const hash = /^[-\w]{43}$/;

t.test('listed messages get the ids of the list, in any order, and nothing is said', async (t) => {
  const { ids, reports } = await assign(t, '3 V16 N9\n1 :a\n2 :b:2,S\n3 :expunged\n', ['b', 'a']);
  t.strictSame(ids, ['0000000200000010', '0000000100000010']);
  t.strictSame(reports, []);
});

t.test('a file name that is listed twice has the later id', async (t) => {
  const { ids } = await assign(t, '3 V16 N9\n1 :a\n2 :a\n', ['a']);
  t.strictSame(ids, ['0000000200000010']);
});

t.test('a message that is not listed gets its base name, and a log line', async (t) => {
  const { ids, reports } = await assign(t, '3 V16 N9\n1 :a\n', ['a', 'new,S=5']);
  t.strictSame(ids, ['0000000100000010', 'new']);
  t.strictSame(reports, [
    {
      event: 'unique-ids-made-up',
      count: 1,
      first: 'new,S=5',
      why: 'not in dovecot-uidlist yet',
    },
  ]);
});

t.test('no made-up id is one that Dovecot has given or could give', async (t) => {
  const list = '3 V16 N9\n1 Ptaken :a\n2 Pgone :expunged\n';
  const { ids } = await assign(t, list, ['a', 'taken', 'gone', '0000000300000010']);
  const [first, ...others] = ids;
  t.equal(first, 'taken');
  for (const id of others) t.match(id, hash);
  t.equal(new Set(ids).size, 4);
});

t.test('never two messages with one id, whatever the list says', async (t) => {
  const list = '3 V16 N9\n1 Psame :a\n2 Psame :b\n3 Ptoo long :c\n';
  const long = `3 P${'x'.repeat(71)} :c\n`;
  const { ids, reports } = await assign(t, list.replace(/3 P.*\n/, long), ['a', 'b', 'c']);
  t.strictSame(ids, ['same', 'b', 'c']);
  t.match(reports, [{ count: 2, first: 'b' }]);
});

t.test('without a list all ids are made up', async (t) => {
  const { ids, reports } = await assign(t, null, ['a', 'b']);
  t.strictSame(ids, ['a', 'b']);
  t.match(reports, [{ count: 2, why: 'there is no dovecot-uidlist' }]);
});

t.test('a list that cannot be read is no reason to make up ids', async (t) => {
  const inbox = t.testdir({ other: '3 V16 N9\n1 :a\n' });
  const list = join(inbox, 'dovecot-uidlist');
  symlinkSync(join(inbox, 'other'), list);
  await t.rejects(assignIn(inbox, ['a']), /dovecot-uidlist is a symbolic link/);
  const folder = t.testdir({});
  mkdirSync(join(folder, 'dovecot-uidlist'));
  await t.rejects(assignIn(folder, ['a']), /not a regular file/);
  await t.rejects(assign(t, '', ['a']), /header that is not understood/, 'empty');
});

t.test('100,000 listed messages get their ids without a long stretch', async (t) => {
  const count = 100_000;
  const inbox = t.testdir({});
  const names = Array.from({ length: count }, (_, index) => `17${index}.M1P${index}.host`);
  const lines = names.map((name, index) => `${index + 1} W10 :${name}`);
  writeFileSync(join(inbox, 'dovecot-uidlist'), `3 V16 N9\n${lines.join('\n')}\n`);
  let turns = 0;
  const timer = setInterval(() => (turns += 1), 0);
  const { ids } = await assignIn(inbox, names);
  clearInterval(timer);
  t.equal(new Set(ids).size, count);
  t.ok(turns > 3, 'others had their turns meanwhile');
});

t.test('a list of a million lines that are no entries does not hold up others', async (t) => {
  const inbox = t.testdir({ 'dovecot-uidlist': `3 V16 N9\n${'x\n'.repeat(1_000_000)}7 :a\n` });
  let turns = 0;
  const count = (): void => {
    turns += 1;
    next = setImmediate(count);
  };
  let next = setImmediate(count);
  t.strictSame((await assignIn(inbox, ['a'])).ids, ['0000000700000010']);
  clearImmediate(next);
  t.ok(turns > 1, 'others had their turns');
});
