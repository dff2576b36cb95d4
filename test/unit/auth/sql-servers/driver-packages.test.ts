import { createRequire } from 'node:module';
import { join } from 'node:path';
import t from 'tap';
import { openSources } from '../../../../src/auth/open-sources.js';
import { makePasswordDatabase } from '../../../support/accounts/password-database-fixture.js';

/** The drivers of database servers that this process has loaded, all of them CommonJS. */
function loadedDrivers(): readonly string[] {
  const files = Object.keys(createRequire(import.meta.url).cache);
  return ['pg', 'mysql2'].filter((name) =>
    files.some((file) => file.includes(`/node_modules/${name}/`)),
  );
}

t.test('a driver is loaded when a source names its server, not before', async (t) => {
  const file = join(t.testdir(), 'passdb.sqlite');
  makePasswordDatabase(file, {});
  const logIn = async (source: string): Promise<void> => {
    const opened = await openSources({ sources: [source], allowsWeakSchemes: false });
    await opened.verifyPassword(Buffer.from('ann@example.org'), Buffer.from('secret'));
    opened.close();
  };
  await logIn(file);
  t.same(loadedDrivers(), []);
  await logIn('postgresql://pop3d:secret@127.0.0.1:1/mail');
  t.same(loadedDrivers(), ['pg']);
  await logIn('mysql://pop3d:secret@127.0.0.1:1/mail');
  t.same(loadedDrivers(), ['pg', 'mysql2']);
});
