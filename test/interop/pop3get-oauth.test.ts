// pop3get and access tokens: Dovecot, which asks an OAuth server about them.

import { chmodSync, chownSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { makePasswordDatabase } from '../support/accounts/password-database-fixture.js';
import { makeInbox } from '../support/mail/maildir-fixture.js';
import { obtainToken } from '../support/oauth/consent.js';
import { oauthSettings } from '../support/oauth/oauth-dovecot.js';
import { startOAuthServer, type OAuthServer } from '../support/oauth/oauth-server.js';
import { Pop3token } from '../support/oauth/pop3token-fixture.js';
import { expectProgram, unlessInstalled } from '../support/peers/debian.js';
import { startDovecot, unlessDovecot } from '../support/peers/dovecot.js';
import { makeMaildir, storedContents } from '../support/programs/pop3get-fixture.js';
import { runProgram, startCommand, type Result } from '../support/programs/run-program.js';

const user = 'ann@example.org';

interface Scene {
  readonly oauth: OAuthServer;
  readonly maildir: string;
  /** Dovecot's. */
  readonly port: number;
  /** @param port another one than Dovecot's, that leads to it */
  readonly run: (
    args: readonly string[],
    env?: Record<string, string>,
    port?: number,
  ) => Promise<Result>;
}

async function setScene(t: Test): Promise<Scene> {
  const root = mkdtempSync(join(tmpdir(), 'mailroot-'));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  makePasswordDatabase(join(root, 'passdb.sqlite'), { [user]: '{PLAIN}open sesame' });
  const { path: inbox } = makeInbox(root, user);
  for (let number = 1; number <= 3; number += 1) {
    writeFileSync(
      join(inbox, 'new', `170000000${number}.M1P1.host`),
      `Subject: ${number}\n\nbody\n`,
    );
  }
  const oauth = await startOAuthServer(t);
  const settings = oauthSettings(root, oauth);
  for (const name of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
    chownSync(join(root, name), 65534, 65534);
  }
  chownSync(root, 65534, 65534);
  const dovecot = await startDovecot(t, {
    ...{ mailRoot: root, passdb: join(root, 'passdb.sqlite'), settings },
    mechanisms: ['plain', 'oauthbearer', 'xoauth2'],
  });
  const maildir = makeMaildir(t);
  const run: Scene['run'] = async (args, env = {}, port = dovecot.pop3Port) =>
    runProgram(
      t,
      'pop3get',
      ['--port', String(port), '--directory', maildir, ...args, '127.0.0.1', user],
      { env },
    );
  return { oauth, maildir, run, port: dovecot.pop3Port };
}

/** A port that leads to a server, and loses its first connection when `text` comes from there. */
async function startBreaking(
  t: Test,
  port: number,
  text: string,
  onBreak: () => Promise<void>,
): Promise<number> {
  let isBroken = false;
  const proxy = createServer((client) => {
    const server = connect({ host: '127.0.0.1', port });
    for (const socket of [client, server]) socket.on('error', () => undefined);
    client.pipe(server);
    server.on('data', (chunk) => {
      if (isBroken || !chunk.includes(text)) {
        client.write(chunk);
        return;
      }
      isBroken = true;
      void onBreak().then(() => client.destroy());
      server.destroy();
    });
    server.on('close', () => client.end());
    client.on('close', () => server.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  t.teardown(() => proxy.close());
  return (proxy.address() as AddressInfo).port;
}

t.test(
  'OAUTHBEARER and XOAUTH2 log in to Dovecot with a token',
  { skip: unlessDovecot() },
  async (t) => {
    const { oauth, maildir, run } = await setScene(t);
    const token = await obtainToken(oauth, user);
    const file = join(t.testdir(), 'token');
    writeFileSync(file, `${token}\n`, { mode: 0o600 });
    const given: readonly (readonly [string, readonly string[], Record<string, string>])[] = [
      ['xoauth2', ['--auth', 'xoauth2', '--token-file', file], {}],
      ['oauthbearer', ['--token-command', `echo ${token}`], {}],
      ['oauthbearer', [], { POP3GET_TOKEN: token }],
    ];
    for (const [method, args, env] of given) {
      const { status, stderr } = await run(['--keep', ...args], env);
      t.equal(status, 0, stderr);
      t.match(stderr, `login=${method}`);
    }
    t.equal(storedContents(maildir).length, 3);
  },
);

t.test(
  'a refused token is asked for once more, and then ends the run with a sentence',
  { skip: unlessDovecot() },
  async (t) => {
    const { oauth, maildir, run } = await setScene(t);
    const folder = t.testdir();
    const token = await obtainToken(oauth, user);
    const command = join(folder, 'token');
    const calls = join(folder, 'calls');
    writeFileSync(
      command,
      `#!/bin/sh\necho "\${POP3GET_TOKEN_REFUSED:-0}" >>${calls}\necho "\${POP3GET_TOKEN_REFUSED:+${token}}\${POP3GET_TOKEN_REFUSED:-stale}" | sed 's/1$//'\n`,
    );
    chmodSync(command, 0o755);
    const renewed = await run(['--token-command', command]);
    t.equal(renewed.status, 0, renewed.stderr);
    t.equal(storedContents(maildir).length, 3);
    for (const auth of ['oauthbearer', 'xoauth2']) {
      const refused = await run([
        '--auth',
        auth,
        '--token-command',
        'echo "stale$POP3GET_TOKEN_REFUSED"',
      ]);
      t.equal(refused.status, 100, refused.stderr);
      t.match(
        refused.stderr,
        /refused the access token of ann@example.org: \w+: it has expired, was revoked/,
      );
      t.match(refused.stderr, /so was a second one/);
      t.notMatch(refused.stderr, /stale/);
    }
  },
);

t.test(
  'tokens that pop3token got by device flow, of which one ends before its time',
  { skip: unlessDovecot() },
  async (t) => {
    const { oauth, maildir, run } = await setScene(t);
    const pop3token = new Pop3token(t, oauth);
    t.equal((await pop3token.logIn('ann', user)).status, 0);
    const first = await run(['--keep', '--token-command', pop3token.command('ann')]);
    t.equal(first.status, 0, first.stderr);
    await oauth.expire(String(pop3token.read('ann')['accessToken']));
    const before = pop3token.read('ann')['accessToken'];
    const second = await run(['--token-command', pop3token.command('ann')]);
    t.equal(second.status, 0, second.stderr);
    t.not(pop3token.read('ann')['accessToken'], before, 'it was renewed');
    t.equal(storedContents(maildir).length, 3);
    await oauth.revoke(String(pop3token.read('ann')['refreshToken']));
    pop3token.change('ann', { expiresAt: 0 });
    const dead = await run(['--token-command', pop3token.command('ann')]);
    t.equal(dead.status, 100, dead.stderr);
    t.match(dead.stderr, /the grant of ann has ended .* consent again at/);
  },
);

t.test(
  'a token of which pop3token knows no end ends in the middle of a run: it is renewed',
  { skip: unlessDovecot() },
  async (t) => {
    const { oauth, maildir, port, run } = await setScene(t);
    const pop3token = new Pop3token(t, oauth);
    t.equal((await pop3token.logIn('ann', user)).status, 0);
    const before = String(pop3token.read('ann')['accessToken']);
    const breaking = await startBreaking(t, port, 'Subject: 2', () => oauth.expire(before));
    const args = ['--token-command', pop3token.command('ann')];
    const { status, stderr } = await run(args, {}, breaking);
    t.equal(status, 0, stderr);
    t.match(stderr, /session-ended .*next=reconnecting/);
    t.not(pop3token.read('ann')['accessToken'], before, 'it was renewed');
    t.equal(storedContents(maildir).length, 3);
  },
);

t.test(
  'mpop and curl log in with what pop3token prints',
  { skip: unlessDovecot() || unlessInstalled('mpop', 'curl') },
  async (t) => {
    const { oauth, maildir, port } = await setScene(t);
    const pop3token = new Pop3token(t, oauth);
    t.equal((await pop3token.logIn('ann', user)).status, 0);
    const mpop = startCommand(t, expectProgram('mpop'), [
      ...['--file=/dev/null', '--host=127.0.0.1', `--port=${port}`, `--user=${user}`, '--quiet'],
      ...[`--passwordeval=${pop3token.command('ann')}`, '--auth=xoauth2', '--tls=off'],
      ...['--keep=on', `--delivery=maildir,${maildir}`, `--uidls-file=${maildir}/uidls`],
    ]);
    const fetched = await mpop.finish('', 60_000);
    t.equal(fetched.status, 0, fetched.stderr);
    t.equal(storedContents(maildir).length, 3);
    const token = (await pop3token.run(['ann'])).stdout.toString().trim();
    const curl = startCommand(t, expectProgram('curl'), [
      ...['-sS', '--max-time', '60', '--oauth2-bearer', token, '-u', `${user}:`],
      `pop3://127.0.0.1:${port}/1`,
    ]);
    const read = await curl.finish('', 60_000);
    t.match(read.stdout.toString(), 'Subject: 1', read.stderr);
  },
);
