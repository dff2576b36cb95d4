// Files beside the messages: replaced whole, and nothing of a killed session's left for ever.

import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { replaceMaildirFile } from '../../../../src/maildrop/own-files/replace-maildir-file.js';

const hour = 3600;

t.test('pieces are written one after the other, in the place of what was there', async (t) => {
  const inbox = t.testdir({ tmp: {}, 'pop3d.octets': 'old' });
  const large = 'x'.repeat(3_000_000);
  await replaceMaildirFile(inbox, 'pop3d.octets', ['\xff\n', large, 'end']);
  t.equal(readFileSync(join(inbox, 'pop3d.octets'), 'latin1'), `\xff\n${large}end`);
  t.strictSame(readdirSync(join(inbox, 'tmp')), []);
});

t.test('what a killed session left is removed after 36 hours, and nothing else', async (t) => {
  const inbox = t.testdir({ tmp: {} });
  const tmp = join(inbox, 'tmp');
  const ours = 'pop3d.octets.123.0123456789ab';
  const others = [
    'pop3d.octets',
    'pop3d.octets.123.0123456789abc',
    'pop3d.octets.123.0123456789AB',
    'pop3d.octets.x.0123456789ab',
    'xpop3d.octets.123.0123456789ab',
    'pop3d.unique-ids.123.0123456789ab',
    '1700000000.M1P1.host',
  ];
  for (const name of [ours, ...others]) writeFileSync(join(tmp, name), 'half');
  mkdirSync(join(tmp, 'pop3d.octets.4.000000000000'));
  symlinkSync('/etc/passwd', join(tmp, 'pop3d.octets.5.000000000000'));
  const before = readdirSync(tmp);
  const age = (seconds: number): void => {
    const then = Date.now() / 1000 - seconds;
    for (const name of [ours, ...others]) utimesSync(join(tmp, name), then, then);
  };
  age(35 * hour);
  await replaceMaildirFile(inbox, 'pop3d.octets', ['x']);
  t.strictSame(readdirSync(tmp), before, 'somebody may be writing it');
  age(37 * hour);
  await replaceMaildirFile(inbox, 'pop3d.octets', ['x']);
  t.strictSame(
    readdirSync(tmp),
    before.filter((name) => name !== ours),
  );
});

t.test('a tmp that is a link is neither written to nor tidied', async (t) => {
  const inbox = t.testdir({ tmp: { 'pop3d.octets.1.000000000000': '' } });
  utimesSync(join(inbox, 'tmp', 'pop3d.octets.1.000000000000'), 1, 1);
  renameSync(join(inbox, 'tmp'), join(inbox, 'elsewhere'));
  symlinkSync('elsewhere', join(inbox, 'tmp'));
  await t.rejects(replaceMaildirFile(inbox, 'pop3d.octets', ['x']), /is a symbolic link/);
  t.equal(readdirSync(join(inbox, 'elsewhere')).length, 1);
});
