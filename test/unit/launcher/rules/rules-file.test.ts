import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { tryAddress } from '../../../../src/launcher/rules/address.js';
import { RulesFile } from '../../../../src/launcher/rules/rules-file.js';
import { recordingLog } from '../../../support/programs/recording-log.js';

function open(t: Test, text: string) {
  const file = join(t.testdir({ rules: text }), 'rules');
  const { log, lines } = recordingLog();
  let reloads = 0;
  const rules = new RulesFile(file, log, () => (reloads += 1));
  const loopback = tryAddress('127.0.0.1');
  if (loopback === null) throw new Error('no address');
  return {
    file,
    rules,
    problems: () =>
      lines
        .filter(({ event }) => event === 'warning')
        .map(({ fields }) => String(fields['why']).replace(file, 'rules')),
    reloads: () => reloads,
    level: () => rules.current().lookUp(loopback)?.level,
  };
}

t.test('a file that changed is read again, once', (t) => {
  const { file, level, reloads } = open(t, 'default 1\n');
  t.equal(level(), 1);
  t.equal(reloads(), 0);
  writeFileSync(`${file}.new`, 'default 2\n');
  renameSync(`${file}.new`, file);
  t.equal(level(), 2);
  t.equal(level(), 2);
  t.equal(reloads(), 1);
  t.end();
});

t.test('a broken file keeps the last good rules and is told of once', (t) => {
  const { file, level, problems } = open(t, 'default 1\n');
  writeFileSync(file, 'default 2\nnonsense\n');
  t.equal(level(), 1);
  t.equal(level(), 1);
  t.same(problems(), ['rules:2: "nonsense" has no level after it']);
  writeFileSync(file, 'default 3\nagain nonsense\n');
  t.equal(level(), 1);
  t.equal(problems().length, 2);
  writeFileSync(file, 'default 44\n');
  t.equal(level(), 44);
  t.end();
});

t.test('a file that is gone keeps the last good rules, and is used when it is back', (t) => {
  const { file, level, problems } = open(t, 'default 1\n');
  rmSync(file);
  t.equal(level(), 1);
  t.equal(level(), 1);
  t.same(problems(), ['rules: cannot be read: no such file']);
  writeFileSync(file, 'default 5\n');
  t.equal(level(), 5);
  t.end();
});

t.test('a file that cannot be used is an error at the start', (t) => {
  const root = t.testdir({ broken: 'default x\n', folder: {} });
  for (const name of ['broken', 'folder', 'none']) {
    t.throws(() => new RulesFile(join(root, name), recordingLog().log, () => undefined), {
      message: new RegExp(`^${root}/${name}`),
    });
  }
  t.end();
});
