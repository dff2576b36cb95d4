// passdb on PostgreSQL and MariaDB: every command, on tables that it makes itself.

import t from 'tap';
import { appPasswordsOnly } from '../support/accounts/documented-query.js';
import { seeClientsLogIn, unlessClients } from '../support/accounts/client-logins.js';
import { inTime, tellsOfDelay } from '../support/accounts/in-time.js';
import { startMariadb, unlessMariadb } from '../support/peers/mariadb.js';
import { startPostgresql, unlessPostgresql } from '../support/peers/postgresql.js';
import { runProgram } from '../support/programs/run-program.js';

for (const { name, clock, start, unless } of [
  {
    name: 'PostgreSQL',
    clock: 'extract(epoch FROM now())',
    ...{ start: startPostgresql, unless: unlessPostgresql },
  },
  {
    name: 'MariaDB',
    clock: 'unix_timestamp()',
    ...{ start: startMariadb, unless: unlessMariadb },
  },
] as const) {
  t.test(
    `passdb makes, edits and checks accounts in ${name}`,
    { skip: unless() || unlessClients() },
    async (t) => {
      const server = await start(t);
      const { uri } = server;
      /** @returns status and what was printed */
      const passdb = async (
        args: readonly string[],
        input = '',
      ): Promise<readonly [number | null, string]> => {
        const env = { PASSDB: uri };
        const { status, stdout, stderr } = await inTime(
          () => runProgram(t, 'passdb', args, { input, env }),
          (result) => result.status === 111 && tellsOfDelay(result.stderr),
        );
        return [status, stdout.toString() + stderr];
      };
      const ann = 'ann@example.org';
      await server.sql('CREATE TABLE users (id INTEGER)');
      t.match(await passdb(['add', ann], 'x\n'), [100, /column/i], "another program's");
      await server.sql('DROP TABLE users');
      t.match(await passdb(['list']), [0, ''], 'there are no tables yet');
      await t.rejects(server.sql('SELECT * FROM scram_decoy'), 'nothing was made');
      t.match(await passdb(['set', ann], 'x\n'), [1, /no such user/]);
      t.same(await passdb(['add', ann, '--scheme', 'SCRAM-SHA-256'], 'first\n'), [0, '']);
      t.match(await passdb(['add', ann], 'second\n'), [1, /exists already/]);
      t.same(await passdb(['set', ann, '--scheme', 'SCRAM-SHA-256'], 'secret\n'), [0, '']);
      t.same(await passdb(['check', ann], 'secret\n'), [0, '']);
      t.match(await passdb(['check', ann], 'first\n'), [1, /wrong password/]);
      t.match(await passdb(['check', 'bob@example.org'], 'first\n'), [1, /unknown user/]);
      t.same(await passdb(['list']), [0, 'ann@example.org\tSCRAM-SHA-256\tactive\n']);
      t.same(await passdb(['disable', ann]), [0, '']);
      t.match(await passdb(['check', ann], 'secret\n'), [1, /disabled user/]);
      t.same(await passdb(['enable', ann]), [0, '']);
      t.same(await passdb(['enable', ann]), [0, ''], 'enabled already');

      const [status, printed] = await passdb(['app', 'add', ann, '--label', 'phone']);
      t.equal(status, 0, printed);
      t.same(await passdb(['check', ann], printed), [0, 'phone\n']);
      t.match(await passdb(['app', 'add', ann, '--label', 'phone']), [1, /already/]);
      t.match(await passdb(['app', 'list', ann]), [0, /^ann@example\.org\tphone\tactive\t/]);
      const only = ['--passdb-query', appPasswordsOnly(clock), 'check', ann];
      t.same(await passdb(only, printed), [0, 'phone\n']);
      t.match(await passdb(only, 'secret\n'), [1, /wrong password/], 'the main one');
      await server.sql('UPDATE app_passwords SET expires = 1');
      t.match(await passdb(['check', ann], printed), [1, /wrong password/], 'it has expired');
      t.match(await passdb(only, printed), [1, /unknown user/], 'it has expired');
      t.match(await passdb(['app', 'list', 'eve@example.org']), [1, /no such user/]);
      t.same(await passdb(['app', 'remove', ann, '--label', 'phone']), [0, '']);

      const lines = 'bob@example.org:{PLAIN}b\nann@example.org:{PLAIN}a\n';
      t.match(await passdb(['import', '-'], lines), [1, /ann@example\.org exists already/]);
      t.match(await passdb(['list', 'bob@example.org']), [1, /no such user/], 'all or nothing');
      t.same(await passdb(['import', '-'], 'bob@example.org:{PLAIN}b\n'), [0, '']);
      t.match(await passdb(['export']), [0, /^bob@example\.org:\{PLAIN\}b/m]);
      t.same(await passdb(['remove', 'bob@example.org']), [0, '']);
      t.match(await passdb(['remove', 'bob@example.org']), [1, /no such user/]);

      await seeClientsLogIn(t, {
        env: { PASSDB: uri },
        user: ann,
        password: 'secret',
        mechanisms: 'clear and SCRAM',
      });
      const secrets = await server.sql('SELECT count(*) FROM scram_decoy');
      t.equal(secrets.trim(), '1', 'made-up salts are the same on every machine');
    },
  );
}

t.test('what passdb cannot edit, or reach, is said without a secret', async (t) => {
  for (const [args, status, message] of [
    [['--passdb', 'dovecot:/run/dovecot', 'list'], 100, /list needs a database/],
    [['--passdb', 'a.sqlite', '--passdb', 'b.sqlite', 'list'], 100, /given twice/],
    [['--passdb', 'postgresql://u:hidden@127.0.0.1:1/x', 'list'], 111, /127\.0\.0\.1:1: .*REFUSED/],
    [['--passdb', 'mysql://u:hidden@127.0.0.1:1/x', 'list'], 111, /127\.0\.0\.1:1: .*REFUSED/],
    [['--passdb', 'checkpassword:/bin/false', 'check', 'ann@example.org'], 1, /refuses/],
  ] as const) {
    const result = await runProgram(t, 'passdb', args, { input: 'x\n' });
    t.equal(result.status, status, args.join(' '));
    t.match(result.stderr, message);
    t.notMatch(result.stderr, /hidden/);
  }
});
