// One password database for two servers: what passdb stores logs in to a real Dovecot, by password and by SCRAM, and what
// `doveadm pw` makes is verified here.

import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SqliteFile } from '../support/accounts/sqlite-file.js';
import t, { type Test } from 'tap';
import { apopDigest } from '../../src/auth/mechanisms/apop.js';
import { openAccounts } from '../../src/auth/open-accounts.js';
import { writableSchemes } from '../../src/auth/stored/make-password.js';
import { scramClient, type SaslClient } from '../../src/auth/mechanisms/sasl-client.js';
import { createSaslExchange } from '../../src/auth/mechanisms/sasl-mechanisms.js';
import { startDovecot, unlessDovecot, type Dovecot } from '../support/peers/dovecot.js';
import { unlessInstalled } from '../support/peers/debian.js';
import { runProgram } from '../support/programs/run-program.js';
import { connectWireClient, type WireClient } from '../support/sessions/wire-client.js';
import { testFolder } from '../support/suite/test-folder.js';

const password = 'pä55 word %s"\\';

/** A mail root that Dovecot's mail user may enter, with an empty database beside it. */
function makeRoot(t: Test): { readonly mailRoot: string; readonly passdb: string } {
  const folder = mkdtempSync(join(tmpdir(), 'passwords-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  chmodSync(folder, 0o755);
  const mailRoot = join(folder, 'mail');
  mkdirSync(mailRoot);
  chownSync(mailRoot, 65534, 65534);
  return { mailRoot, passdb: join(folder, 'passdb.sqlite') };
}

async function passdbAdd(t: Test, file: string, scheme: string): Promise<string> {
  const address = `${scheme.toLowerCase()}@example.org`;
  const args = ['--passdb', file, 'add', address, '--scheme', scheme];
  const { status, stderr } = await runProgram(t, 'passdb', args, { input: `${password}\n` });
  if (status !== 0) throw new Error(`passdb: ${status} ${stderr}`);
  return address;
}

async function connectTo({ pop3Port }: Dovecot): Promise<{ client: WireClient; greeting: string }> {
  const client = await connectWireClient(pop3Port);
  return { client, greeting: await client.status() };
}

/** Logs in with a SASL client. @returns the last status line */
async function authenticate(client: WireClient, sasl: SaslClient): Promise<string> {
  const initial = (await sasl.initialResponse()).toString('base64');
  client.write(`AUTH ${sasl.name} ${initial}\r\n`);
  for (;;) {
    const line = await client.line();
    if (!line.startsWith('+ ')) {
      if (line.startsWith('+OK')) sasl.finish();
      return line;
    }
    const answer = await sasl.respond(Buffer.from(line.slice(2), 'base64'));
    client.write(`${answer.toString('base64')}\r\n`);
  }
}

t.test('what passdb stores logs in to Dovecot', { skip: unlessDovecot() }, async (t) => {
  const { mailRoot, passdb } = makeRoot(t);
  const addresses = new Map<string, string>();
  for (const scheme of writableSchemes) addresses.set(scheme, await passdbAdd(t, passdb, scheme));
  const mechanisms = ['plain', 'login', 'scram-sha-256', 'apop'];
  const dovecot = await startDovecot(t, { mailRoot, passdb, mechanisms });

  for (const [scheme, address] of addresses) {
    await t.test(`${scheme}: with USER and PASS, and not with another password`, async (t) => {
      const { client } = await connectTo(dovecot);
      await client.ok(`USER ${address}`);
      t.match(await client.command('PASS wrong'), /^-ERR \[AUTH\]/);
      await client.ok(`USER ${address}`);
      t.match(await client.command(`PASS ${Buffer.from(password).toString('latin1')}`), /^\+OK/);
      client.destroy();
    });
  }

  for (const scheme of ['SCRAM-SHA-256', 'PLAIN']) {
    await t.test(`${scheme}: with our SCRAM client, as it does here`, async (t) => {
      const username = addresses.get(scheme) ?? '';
      const scram = (given: string): SaslClient =>
        scramClient({ username, password: Buffer.from(given), binding: { kind: 'none' } });
      const { client } = await connectTo(dovecot);
      t.match(await authenticate(client, scram('wrong')), /^-ERR \[AUTH\]/);
      t.match(await authenticate(client, scram(password)), /^\+OK/);
      client.destroy();

      const authenticator = openAccounts({ file: passdb });
      const ours = scram(password);
      const exchange = createSaslExchange('SCRAM-SHA-256', {
        authenticator,
        channelBindings: null,
      });
      let step = await exchange.start(await ours.initialResponse());
      while (step.step === 'challenge')
        step = await exchange.respond(await ours.respond(step.challenge));
      ours.finish();
      t.match(step, { step: 'accepted', identity: { domain: 'example.org' } });
      authenticator.close();
    });
  }

  await t.test('PLAIN: with APOP', async (t) => {
    const { client, greeting } = await connectTo(dovecot);
    const timestamp = /<.*>/.exec(greeting)?.[0] ?? '';
    const digest = apopDigest(timestamp, Buffer.from(password));
    t.match(await client.command(`APOP ${addresses.get('PLAIN') ?? ''} ${digest}`), /^\+OK/);
    client.destroy();
  });

  await t.test('a user that passdb disables or removes is gone for Dovecot at once', async (t) => {
    const address = addresses.get('PLAIN') ?? '';
    const enter = async (): Promise<string> => {
      const { client } = await connectTo(dovecot);
      await client.ok(`USER ${address}`);
      const status = await client.command(`PASS ${Buffer.from(password).toString('latin1')}`);
      client.destroy();
      return status;
    };
    for (const [command, expected] of [
      ['disable', /^-ERR \[AUTH\]/],
      ['enable', /^\+OK/],
      ['remove', /^-ERR \[AUTH\]/],
    ] as const) {
      await runProgram(t, 'passdb', ['--passdb', passdb, command, address]);
      t.match(await enter(), expected, command);
    }
  });

  t.notMatch(await dovecot.log(), /Error:|Fatal:|Panic:/);
});

const foreignSchemes = [
  'ARGON2ID',
  'ARGON2I',
  'BLF-CRYPT',
  'SHA512-CRYPT',
  'SHA256-CRYPT',
  'CRYPT',
  'SSHA256',
  'SSHA512',
  'PBKDF2',
  'SCRAM-SHA-256',
  'PLAIN',
  'CLEARTEXT',
  'SSHA256.HEX',
  'SHA512-CRYPT.B64',
  'PLAIN.b64',
];

t.test(
  'what doveadm pw makes is verified here',
  { skip: unlessInstalled('doveadm') },
  async (t) => {
    const folder = testFolder(t);
    const file = join(folder, 'passdb.sqlite');
    await passdbAdd(t, file, 'PLAIN');
    const database = new SqliteFile(file);
    const insert = database.prepare(
      'INSERT INTO users (username, domain, password) VALUES (?, ?, ?)',
    );
    for (const scheme of foreignSchemes) {
      const stored = execFileSync('doveadm', ['pw', '-s', scheme, '-p', password])
        .toString()
        .trim();
      insert.run(`foreign-${scheme.toLowerCase()}`, 'example.org', stored);
    }
    database.close();
    const authenticator = openAccounts({ file });
    t.teardown(() => authenticator.close());
    for (const scheme of foreignSchemes) {
      await t.test(scheme, async (t) => {
        const name = Buffer.from(`foreign-${scheme.toLowerCase()}@example.org`);
        t.match(await authenticator.verifyPassword(name, Buffer.from(password)), {
          verdict: 'accepted',
        });
        t.match(await authenticator.verifyPassword(name, Buffer.from('wrong')), {
          verdict: 'rejected',
        });
      });
    }
  },
);

t.test(
  'doveadm agrees with every password that passdb stores',
  { skip: unlessInstalled('doveadm') },
  async (t) => {
    const file = join(testFolder(t), 'passdb.sqlite');
    for (const scheme of writableSchemes) await passdbAdd(t, file, scheme);
    const database = new SqliteFile(file);
    const rows = database
      .prepare('SELECT password FROM users')
      .all()
      .map((row) => String(row['password']));
    database.close();
    t.equal(rows.length, writableSchemes.length);
    for (const stored of rows) {
      const output = execFileSync('doveadm', ['pw', '-t', stored, '-p', password]).toString();
      t.match(output, /\(verified\)/, stored.slice(0, 20));
    }
  },
);
