import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  LastLogins,
  readLastLogins,
  type LastLogin,
} from '../../../../src/auth/sqlite/last-logins.js';
import { openSqlite } from '../../../../src/system/sqlite/open-sqlite.js';
import { poll } from '../../../support/suite/deadline.js';
import { testFolder } from '../../../support/suite/test-folder.js';

const login: LastLogin = {
  ...{ user: 'ann', domain: 'example.org', service: 'pop3', at: '2026-11-29T10:00:00Z' },
  ...{ peer: '192.0.2.7', mechanism: 'USER', tls: null, label: null },
};
const ann = { user: 'ann', domain: 'example.org' };

/** Waits until the file says it. */
function written(file: string, wanted: readonly LastLogin[]): Promise<true> {
  return poll('the row', () => {
    const rows = existsSync(file) && !isEmpty(file) ? readLastLogins(file, ann) : [];
    return Promise.resolve(
      JSON.stringify(rows) === JSON.stringify(wanted.map(ordered)) ? true : undefined,
    );
  });
}

function isEmpty(file: string): boolean {
  try {
    readLastLogins(file, ann);
    return false;
  } catch {
    return true;
  }
}

const ordered = ({
  user,
  domain,
  peer,
  tls,
  label,
  service,
  at,
  mechanism,
}: LastLogin): LastLogin => ({
  ...{ user, domain, peer, tls, label, service, at, mechanism },
});

t.test('there is one row for each user and service, the last', async (t) => {
  const file = join(testFolder(t, {}), 'last.sqlite');
  const warnings: string[] = [];
  const logins = new LastLogins({ file, onWarning: (why) => warnings.push(why) });
  logins.note(login);
  logins.note({ ...login, at: '2026-11-29T11:00:00Z', tls: 'TLSv1.3', label: 'phone' });
  const secure = { ...login, service: 'pop3s', at: '2026-11-29T12:00:00Z' };
  logins.note(secure);
  logins.note({ ...login, user: 'bob' });
  await written(file, [
    { ...login, at: '2026-11-29T11:00:00Z', tls: 'TLSv1.3', label: 'phone' },
    secure,
  ]);
  const later = { ...login, at: '2026-11-30T00:00:00Z' };
  logins.note(later);
  await written(file, [secure, later]);
  rmSync(file);
  logins.note(later);
  await written(file, [later]);
  t.same(warnings, []);
});

t.test('while another process writes it waits, and holds nobody up', async (t) => {
  const file = join(testFolder(t, {}), 'last.sqlite');
  const logins = new LastLogins({ file, onWarning: (why) => t.fail(why) });
  logins.note(login);
  await written(file, [login]);
  const other = openSqlite(file, { access: 'write', busyTimeoutMs: 0 });
  other.exec('BEGIN IMMEDIATE');
  const inHaste = new LastLogins({ file, onWarning: (why) => t.fail(why) });
  inHaste.note({ ...login, at: '2026-11-30T00:00:00Z' });
  inHaste.writeAndClose();
  logins.note({ ...login, at: '2026-12-01T00:00:00Z' });
  t.same(
    readLastLogins(file, ann).map(({ at }) => at),
    [login.at],
  );
  other.exec('ROLLBACK');
  other.close();
  await written(file, [{ ...login, at: '2026-12-01T00:00:00Z' }]);
});

t.test('what cannot be written is one warning, however often it happens', async (t) => {
  const folder = testFolder(t, {});
  const file = join(folder, 'last.sqlite');
  writeFileSync(file, 'this is no database, but a text that is long enough for one\n'.repeat(20));
  const warnings: string[] = [];
  const logins = new LastLogins({ file, onWarning: (why) => warnings.push(why) });
  for (let count = 0; count < 3; count += 1) {
    logins.note(login);
    logins.writeAndClose();
  }
  t.equal(warnings.length, 1);
  t.match(warnings[0], /^option --last-login: .*last\.sqlite: /);
  t.throws(() => readLastLogins(file, ann), { name: 'ConfigurationError' });
  t.throws(() => readLastLogins(join(folder, 'none'), ann), { name: 'ConfigurationError' });
  await Promise.resolve();
});
