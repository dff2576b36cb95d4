// The checkpassword interface with shell scripts.

import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Verdict } from '../../../../src/auth/accounts/authenticator.js';
import { loginClient } from '../../../../src/auth/accounts/login-client.js';
import { CheckpasswordAuthority } from '../../../../src/auth/checkpassword/checkpassword-authority.js';

interface Asked {
  readonly withinMs?: number;
  readonly password?: string;
}

function ask(t: Test, script: string, { withinMs = 20_000, password = 'se cret' }: Asked = {}) {
  const program = join(t.testdir(), 'check');
  writeFileSync(program, `#!/bin/sh\n${script}\n`);
  chmodSync(program, 0o755);
  const authority = new CheckpasswordAuthority(program);
  t.teardown(() => {
    authority.close();
  });
  return authority.ask({
    login: { user: 'ann', domain: 'example.org' },
    name: 'ann@example.org',
    password: Buffer.from(password),
    client: loginClient('192.0.2.7'),
    withinMs,
  });
}

const home = (path: string | null): Partial<Verdict> => ({
  verdict: 'accepted',
  identity: { user: 'ann', domain: 'example.org' },
  grant: { home: path, maildrop: null, isReadOnly: false, days: null, label: null },
});

t.test("a program that runs its arguments accepts, and its HOME is the user's", async (t) => {
  t.match(await ask(t, 'exec "$@"'), home(null));
  t.match(await ask(t, 'HOME=/srv/ann exec env HOME=/srv/ann "$@"'), home('/srv/ann'));
});

t.test(
  'the program reads name, password and time from descriptor 3, and nothing else',
  async (t) => {
    process.env['POP3_SECRET'] = 'shown to no program';
    t.teardown(() => delete process.env['POP3_SECRET']);
    const script = `tr '\\000' '\\n' <&3 | {
    read -r name; read -r password; read -r time; read -r rest
    [ "$name/$password/$rest" = 'ann@example.org/se cret/' ] || exit 1
    case $time in Y[0-9]*) ;; *) exit 1 ;; esac
    [ "$TCPREMOTEIP/$PROTO/$POP3_SECRET" = 192.0.2.7/TCP/ ] || exit 1
  } && exec "$@"`;
    t.match(await ask(t, script), { verdict: 'accepted' });
  },
);

t.test('exit statuses are verdicts or failures, and never the wrong ones', async (t) => {
  t.same(await ask(t, 'exit 1'), { verdict: 'rejected', reason: 'checkpassword refuses' });
  await t.rejects(ask(t, 'exit 2'), { isLasting: true, message: /exit status 2/ });
  await t.rejects(ask(t, 'exit 111'), { isLasting: false, message: /exit status 111/ });
  await t.rejects(ask(t, 'kill -9 $$'), { isLasting: false, message: /SIGKILL/ });
  t.match(await ask(t, 'exit 1', { password: 'x'.repeat(500) }), { verdict: 'rejected' });
  const missing = new CheckpasswordAuthority('/nonexistent/check');
  await t.rejects(
    missing.ask({
      login: { user: 'ann', domain: 'example.org' },
      name: 'ann',
      password: Buffer.from('x'),
      client: loginClient(undefined),
      withinMs: 1000,
    }),
    { isLasting: true, message: /nonexistent/ },
  );
});

t.test('a program that takes too long ends, with what it started', async (t) => {
  await t.rejects(ask(t, 'sleep 600 & sleep 600', { withinMs: 300 }), {
    isLasting: false,
    message: /no answer in time/,
  });
});
