// services/postgresql in the real PostgreSQL: passdb edits with its role, pop3d logs users in with its own, which can do no more.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { serverSchema } from '../../src/auth/sql-servers/server-schema.js';
import { makeInbox } from '../support/mail/maildir-fixture.js';
import { startPostgresql, unlessPostgresql } from '../support/peers/postgresql.js';
import { startMailServer } from '../support/programs/mail-server.js';
import { runProgram } from '../support/programs/run-program.js';
import { replyToLogin } from '../support/sessions/wire-client.js';
import { testFolder } from '../support/suite/test-folder.js';

const skip = unlessPostgresql();
const schema = readFileSync(
  fileURLToPath(new URL('../../../services/postgresql/schema.sql', import.meta.url)),
  'utf8',
);

t.test(
  'passdb adds accounts with its role, and pop3d serves them with its own',
  { skip },
  async (t) => {
    const server = await startPostgresql(t, schema, {
      access: 'local mail pop3,passdb scram-sha-256',
    });
    await server.sql(
      "ALTER ROLE pop3 PASSWORD 'for pop3'; ALTER ROLE passdb PASSWORD 'for passdb'",
    );
    const mailRoot = testFolder(t, {});
    const passfile = join(mailRoot, 'password');
    writeFileSync(
      passfile,
      'localhost:*:mail:pop3:for pop3\nlocalhost:*:mail:passdb:for passdb\n',
      { mode: 0o600 },
    );
    const uriOf = (role: string): string =>
      `postgresql:///mail?host=${server.folder}&user=${role}&passfile=${passfile}`;
    const passdb = async (input: string, ...words: string[]): Promise<string> => {
      const result = await runProgram(t, 'passdb', ['--passdb', uriOf('passdb'), ...words], {
        input,
      });
      t.equal(result.status, 0, result.stderr);
      return result.stdout.toString();
    };
    await passdb('secret\n', 'add', 'ann@example.org');
    const label = ['--label', 'phone'];
    const app = (await passdb('', 'app', 'add', 'ann@example.org', ...label)).trim();
    makeInbox(mailRoot, 'ann@example.org').add('a: b\n\nc\n');
    const { port } = await startMailServer(t, mailRoot, {
      env: { PASSDB: uriOf('pop3'), FAILURE_DELAY: '0' },
    });
    const logIn = (password: string): Promise<string> =>
      replyToLogin(port, 'ann@example.org', password);
    t.match(await logIn('secret'), /^\+OK .*1 message/);
    t.match(await logIn(app), /^\+OK .*1 message/, 'an application password');
    t.match(await logIn('wrong'), /^-ERR \[AUTH\]/);
    await passdb('', 'disable', 'ann@example.org');
    t.match(await logIn('secret'), /^-ERR \[AUTH\]/);
  },
);

t.test('the role of pop3d reads, and can do nothing else', { skip }, async (t) => {
  const server = await startPostgresql(t, schema);
  const as = (role: string, statement: string): Promise<string> =>
    server.sql(
      `SET SESSION AUTHORIZATION ${role}; SET default_transaction_read_only = off; ${statement}`,
    );
  t.equal(await as('pop3', 'SELECT count(*), min(length(secret)) FROM scram_decoy'), '1|32\n');
  for (const statement of [
    "INSERT INTO users VALUES ('eve', 'example.org', '{PLAIN}x')",
    "UPDATE app_passwords SET password = ''",
    'DELETE FROM users',
    'CREATE TABLE mine (a TEXT)',
    'SELECT * FROM pg_authid',
  ]) {
    await t.rejects(as('pop3', statement), /permission denied/, statement);
  }
  await t.rejects(as('passdb', 'DROP TABLE users'), /must be owner/);
  await t.rejects(as('passdb', 'DELETE FROM scram_decoy'), /permission denied/);

  const made = serverSchema('postgresql').join(';');
  await server.sql(`CREATE SCHEMA made; SET search_path = made; ${made}`);
  const columnsIn = (name: string): Promise<string> =>
    server.sql(`SELECT table_name, column_name, data_type, is_nullable, column_default
      FROM information_schema.columns WHERE table_schema = '${name}'
        AND table_name <> 'failed_logins' ORDER BY 1, 2`);
  t.equal(await columnsIn('public'), await columnsIn('made'), 'the tables that passdb would make');
});
