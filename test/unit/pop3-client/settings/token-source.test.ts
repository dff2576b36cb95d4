import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  tryTokenSource,
  type TokenSource,
} from '../../../../src/pop3-client/settings/token-source.js';

const none = {
  ...{ options: '--token' as const, command: undefined, file: undefined, environment: undefined },
};
const { signal } = new AbortController();

/** A source of which there must be one. */
function source(places: Partial<Parameters<typeof tryTokenSource>[0]>): TokenSource {
  const found = tryTokenSource({ ...none, ...places });
  if (found === null) throw new Error('no source');
  return found;
}

t.test('a command is told when the token that it gave was refused', async (t) => {
  const { read } = source({ command: 'echo "a$POP3GET_TOKEN_REFUSED"' });
  t.equal(await read('login', signal), 'a');
  t.equal(await read('refused', signal), 'a1');
});

t.test('a file is read anew each time, up to 64 kB, and by nobody else', async (t) => {
  const file = join(t.testdir(), 'token');
  const { read } = source({ file });
  for (const token of ['first', 'x'.repeat(60_000)]) {
    writeFileSync(file, `${token}\n`, { mode: 0o600 });
    t.equal(await read('login', signal), token);
  }
  chmodSync(file, 0o644);
  await t.rejects(read('login', signal), /can be read by others/);
});

t.test('no token source, two, and what is no token', async (t) => {
  t.equal(tryTokenSource(none), null);
  t.equal(tryTokenSource({ ...none, environment: '' }), null);
  t.throws(() => tryTokenSource({ ...none, command: 'true', file: 'f' }), /give one of/);
  for (const [command, error] of [
    ['true', /gave an empty line/],
    ['echo "two words"', /is no access token/],
    ['exit 100', /--token-command failed \(exit status 100\)/],
  ] as const) {
    const reading = source({ command }).read('login', signal);
    await t.rejects(reading, { name: 'ConfigurationError', message: error });
  }
});

t.test('a command that is still running ends with the run', async (t) => {
  const controller = new AbortController();
  const { read } = source({ command: 'exec sleep 60' });
  const reading = read('login', controller.signal);
  controller.abort(new Error('stopped'));
  await t.rejects(reading, /stopped/);
});
