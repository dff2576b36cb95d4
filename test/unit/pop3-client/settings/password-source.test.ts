import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  readPassword,
  type PasswordSources,
} from '../../../../src/pop3-client/settings/password-source.js';

const none: PasswordSources = {
  file: undefined,
  command: undefined,
  argument: undefined,
  environment: undefined,
};

t.test('the first line of a file, which others may not read', async (t) => {
  const file = join(t.testdir({ password: 'open sesame \r\nmore\n' }), 'password');
  chmodSync(file, 0o644);
  await t.rejects(readPassword({ ...none, file }), /can be read by others: chmod 600/);
  chmodSync(file, 0o600);
  t.same(await readPassword({ ...none, file }), Buffer.from('open sesame '));
  writeFileSync(file, '\ufeffp\n');
  t.same(await readPassword({ ...none, file }), Buffer.from('p'), 'without the byte order mark');
  await t.rejects(
    readPassword({ ...none, file: `${file}-not` }),
    /--password-file: .*-not: no such file/,
  );
});

t.test('the first line of what a command prints; its text is in no error', async (t) => {
  t.same(await readPassword({ ...none, command: 'printf "a b\\nc\\n"' }), Buffer.from('a b'));
  const failing = readPassword({ ...none, command: 'echo hush; exit 3' });
  await t.rejects(failing, /--password-command failed \(exit status 3\)/);
  await failing.catch((error: unknown) => t.notMatch(String(error), /hush/));
});

t.test('the argument goes before the environment, and two sources are one too many', async (t) => {
  t.same(await readPassword({ ...none, argument: 'a', environment: 'b' }), Buffer.from('a'));
  t.same(await readPassword({ ...none, environment: 'b' }), Buffer.from('b'));
  await t.rejects(readPassword({ ...none, argument: 'a', command: 'true' }), /give one of/);
});
