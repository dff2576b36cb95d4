// Other people's clients at pop3d over an account source: the right password lets them in, a wrong one and an unknown user are
// refused alike.

import { mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { makeInbox } from '../mail/maildir-fixture.js';
import { expectProgram, unlessInstalled } from '../peers/debian.js';
import { startMailServer, type MailServer } from '../programs/mail-server.js';
import { runCommand } from '../programs/run-program.js';
import { connectWireClient } from '../sessions/wire-client.js';
import { poll } from '../suite/deadline.js';

export interface ClientLogins {
  /** Of `--passdb` and its like. */
  readonly env: Readonly<Record<string, string>>;
  readonly user: string;
  readonly password: string;
  readonly mechanisms: 'clear' | 'clear and SCRAM';
}

/** For tap's `skip` option. */
export function unlessClients(): string | false {
  return unlessInstalled('curl', 'fetchmail', 'mpop');
}

/** Serves a mail root with one message for ann@example.org, from kept workers, and lets clients fetch it. */
export async function seeClientsLogIn(t: Test, logins: ClientLogins): Promise<MailServer> {
  // The test's own folder holds what the source needs.
  const folder = mkdtempSync(join(tmpdir(), 'client-logins-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const mailRoot = join(folder, 'mail');
  makeInbox(mailRoot, 'ann@example.org').add('Subject: hello\n\nworld\n');
  const server = await startMailServer(t, mailRoot, {
    env: { FAILURE_DELAY: '0', ...logins.env },
    args: ['--workers', '1'],
  });
  await warmUp(server.port, logins);
  await seeCurl(t, server.port, logins);
  await seeFetchmail(t, join(folder, 'fetchmail'), server.port, logins);
  if (logins.mechanisms === 'clear and SCRAM') {
    await seeMpop(t, join(folder, 'mpop'), server.port, logins);
  }
  await seeRefusals(t, server.port, logins);
  return server;
}

/** Waits until the worker has asked the source in time: what it has open and knows by then makes later logins quick. */
async function warmUp(port: number, { user, password, mechanisms }: ClientLogins): Promise<void> {
  await poll(
    'a login in time',
    async () => {
      const client = await connectWireClient(port);
      await client.status();
      const capabilities = await client.listing('CAPA');
      await client.ok(`USER ${user}`);
      const answer = await client.command(`PASS ${password}`);
      client.destroy();
      const isReady = mechanisms === 'clear' || capabilities.join().includes('SCRAM');
      return isReady && !answer.startsWith('-ERR [SYS/TEMP]') ? true : undefined;
    },
    60_000,
  );
}

async function seeCurl(t: Test, port: number, { user, password }: ClientLogins): Promise<void> {
  for (const [login, status] of [
    [`${user}:${password}`, 0],
    [`${user}:wrong`, 67],
    [`nobody@example.org:${password}`, 67],
  ] as const) {
    const url = `pop3://127.0.0.1:${port}/1`;
    const result = await runCommand(t, expectProgram('curl'), ['-sS', '-u', login, url]);
    t.equal(result.status, status, `curl -u ${login}: ${result.stderr}`);
    if (status === 0) t.equal(result.stdout.toString(), 'Subject: hello\r\n\r\nworld\r\n');
  }
}

async function seeFetchmail(
  t: Test,
  home: string,
  port: number,
  { user, password }: ClientLogins,
): Promise<void> {
  mkdirSync(home);
  const control = join(home, 'fetchmailrc');
  const lines = [
    'set invisible',
    `poll 127.0.0.1 protocol pop3 port ${port} auth password`,
    `  user "${user}" password "${password}" sslproto "" no rewrite fetchall keep`,
    `  mda "/bin/sh -c 'cat > ${home}/message'"`,
  ];
  writeFileSync(control, `${lines.join('\n')}\n`, { mode: 0o600 });
  const result = await runCommand(
    t,
    expectProgram('fetchmail'),
    ['--fetchmailrc', control, '--nodetach', '--idfile', join(home, 'ids')],
    { env: { FETCHMAILHOME: home } },
  );
  t.equal(result.status, 0, `fetchmail: ${result.stderr}${result.stdout.toString()}`);
  t.ok(readdirSync(home).includes('message'), 'fetchmail fetched the message');
}

async function seeMpop(
  t: Test,
  folder: string,
  port: number,
  { user, password }: ClientLogins,
): Promise<void> {
  for (const part of ['new', 'cur', 'tmp']) mkdirSync(join(folder, part), { recursive: true });
  const control = join(folder, 'mpoprc');
  const lines = [
    ...['account default', 'host 127.0.0.1', `port ${port}`, `user ${user}`],
    ...[`password "${password}"`, 'auth scram-sha-256', 'keep on'],
    ...[`uidls_file ${folder}/uidls`, `delivery maildir ${folder}`],
  ];
  writeFileSync(control, `${lines.join('\n')}\n`, { mode: 0o600 });
  const result = await runCommand(t, expectProgram('mpop'), ['--file', control, '--quiet']);
  t.equal(result.status, 0, `mpop with SCRAM-SHA-256: ${result.stderr}`);
  t.equal(readdirSync(join(folder, 'new')).length, 1, 'mpop fetched the message');
}

async function seeRefusals(
  t: Test,
  port: number,
  { user, password, mechanisms }: ClientLogins,
): Promise<void> {
  const client = await connectWireClient(port);
  await client.status();
  const capabilities = await client.listing('CAPA');
  const sasl = capabilities.find((line) => line.startsWith('SASL')) ?? '';
  t.equal(sasl.includes('SCRAM-SHA-256'), mechanisms === 'clear and SCRAM', sasl);
  const answers: string[] = [];
  for (const [name, given] of [
    [user, 'wrong'],
    ['nobody@example.org', password],
  ] as const) {
    await client.ok(`USER ${name}`);
    answers.push(await client.command(`PASS ${given}`));
  }
  t.match(answers[0] ?? '', /^-ERR \[AUTH\]/);
  t.equal(answers[1], answers[0], 'wrong and unknown are refused alike');
  client.destroy();
}
