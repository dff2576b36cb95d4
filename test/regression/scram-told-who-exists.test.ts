// SCRAM told who exists: rows with other iterations or salts of other lengths looked different from what was made up for
// names that nobody has (RFC 5802 §9).

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { SqliteFile } from '../support/accounts/sqlite-file.js';
import t, { type Test } from 'tap';
import type { Authenticator, ScramCredentials } from '../../src/auth/accounts/authenticator.js';
import { openAccounts } from '../../src/auth/open-accounts.js';
import { AccountEditor } from '../../src/auth/sqlite/account-editor.js';

const scramRow = (iterations: number, saltOctets: number): string =>
  `{SCRAM-SHA-256}${iterations},${[saltOctets, 32, 32].map((octets) => randomBytes(octets).toString('base64')).join(',')}`;

// Each look-up derives keys, 10 ms of processor time.

/** What a client sees before it proves anything, and how the row is stored. */
const looks = [
  { look: '4096 16', password: (): string => scramRow(4096, 16) },
  { look: '4096 12', password: (): string => scramRow(4096, 12) },
  { look: '15000 24', password: (): string => scramRow(15_000, 24) },
  { look: '10000 16', password: (): string => '{PLAIN}secret' },
] as const;
const rowsOfEach = 4;
const known = looks.flatMap(({ look }) =>
  Array.from({ length: rowsOfEach }, (_, index) => `${look.replace(' ', '-')}-${index}`),
);
const unknown = Array.from({ length: 120 }, (_, index) => `nobody${index}`);

/** A database in which the rows of every look, and rows that SCRAM cannot use, come in turn. */
function makeMixture(t: Test): string {
  const file = join(t.testdir({}), 'passdb.sqlite');
  const editor = new AccountEditor({ file, isCreated: true });
  const add = (user: string, password: string): boolean =>
    editor.add({ user, domain: 'example.org' }, password);
  for (let index = 0; index < rowsOfEach; index += 1) {
    for (const { look, password } of looks) {
      add(`${look.replace(' ', '-')}-${index}`, password());
      add(`hashed${index}-${look}`, `{SSHA256}${randomBytes(40).toString('base64')}`);
    }
  }
  editor.close();
  // Always the same secret, so that each run makes up the same.
  const database = new SqliteFile(file);
  database.prepare('UPDATE scram_decoy SET secret = ?').run(Buffer.alloc(32, 7));
  database.close();
  return file;
}

async function credentialsOf(accounts: Authenticator, user: string): Promise<ScramCredentials> {
  const lookup = await accounts.lookUpScram(Buffer.from(`${user}@example.org`));
  if (lookup.found === 'unavailable') throw new Error(lookup.reason);
  return lookup.credentials;
}

function lookOf({ iterations, salt }: ScramCredentials): string {
  return `${iterations} ${salt.length}`;
}

t.test('names that nobody has look like the mixture of those that exist', async (t) => {
  const accounts = openAccounts({ file: makeMixture(t) });
  t.teardown(() => accounts.close());
  const salts = new Set<string>();
  for (const user of known) {
    const credentials = await credentialsOf(accounts, user);
    t.equal(lookOf(credentials).replace(' ', '-'), user.slice(0, user.lastIndexOf('-')));
    salts.add(credentials.salt.toString('hex'));
  }
  const counts = new Map<string, number>();
  for (const user of unknown) {
    const credentials = await credentialsOf(accounts, user);
    const look = lookOf(credentials);
    counts.set(look, (counts.get(look) ?? 0) + 1);
    salts.add(credentials.salt.toString('hex'));
  }
  t.equal(salts.size, known.length + unknown.length, 'no salt comes twice');
  t.strictSame([...counts.keys()].sort(), looks.map(({ look }) => look).sort());
  const expected = unknown.length / looks.length;
  for (const [look, count] of counts) {
    t.ok(count > expected / 3 && count < expected * 3, `${look}: ${count} of about ${expected}`);
  }
});

t.test('a name keeps its look when the database is opened anew, known or not', async (t) => {
  const file = makeMixture(t);
  const names = [...known, ...unknown.slice(0, 16), 'hashed3-4096 16'];
  const read = async (): Promise<readonly string[]> => {
    const accounts = openAccounts({ file });
    const seen: string[] = [];
    for (const name of names) {
      const credentials = await credentialsOf(accounts, name);
      seen.push(`${name} ${lookOf(credentials)} ${credentials.salt.toString('hex')}`);
    }
    accounts.close();
    return seen;
  };
  const before = await read();
  t.strictSame(await read(), before);
});

t.test('a name is the same however it is written', async (t) => {
  const accounts = openAccounts({ file: makeMixture(t), defaultDomain: 'example.org' });
  t.teardown(() => accounts.close());
  for (const name of ['4096-12-3', 'nobody1', 'hashed2-4096 16']) {
    const expected = await accounts.lookUpScram(Buffer.from(`${name}@example.org`));
    t.not(expected.found, 'unavailable', name);
    for (const written of [name, `${name.toUpperCase()}@Example.ORG.`]) {
      t.strictSame(await accounts.lookUpScram(Buffer.from(written)), expected, written);
    }
  }
});
