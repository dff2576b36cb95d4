import t from 'tap';
import { hashPassword } from '../../../../src/auth/stored/password-hash.js';
import { hash, hmac, saltedPassword } from '../../../../src/auth/stored/scram-keys.js';
import type { ScramCredentials, ScramLookup } from '../../../../src/auth/accounts/authenticator.js';
import { lookUpScram, type ScramLookupInput } from '../../../../src/auth/database/scram-lookup.js';

const secret = Buffer.alloc(32, 1);
const login = { user: 'anna', domain: 'example.org' };
const input: ScramLookupInput = {
  name: Buffer.from('anna@example.org'),
  login,
  row: null,
  secret,
  sample: [],
};

async function storedKey(password: string, salt: Buffer, iterations: number): Promise<Buffer> {
  return hash(hmac(await saltedPassword(Buffer.from(password), salt, iterations), 'Client Key'));
}

function credentialsOf(lookup: ScramLookup): ScramCredentials {
  if (lookup.found === 'unavailable') throw new Error(lookup.reason);
  return lookup.credentials;
}

t.test('a SCRAM row gives what is stored', async (t) => {
  const password = await hashPassword('SCRAM-SHA-256', Buffer.from('pencil'));
  const lookup = await lookUpScram({ ...input, row: { password, isActive: true } });
  t.match(lookup, { found: 'credentials', identity: login });
  const { salt, iterations, storedKey: stored } = credentialsOf(lookup);
  t.same(await storedKey('pencil', salt, iterations), stored);
});

t.test('a password in clear gives credentials that are the same each time', async (t) => {
  const row = { password: '{PLAIN}caf\u00e9', isActive: true };
  const lookup = await lookUpScram({ ...input, row });
  t.match(lookup, { found: 'credentials', identity: login });
  t.same(await lookUpScram({ ...input, row }), lookup);
  const { salt, iterations, storedKey: stored } = credentialsOf(lookup);
  t.same(await storedKey('caf\u00e9', salt, iterations), stored);
});

t.test(
  'unknown and disabled users, and those with other schemes, get the same decoy',
  async (t) => {
    const scram = await hashPassword('SCRAM-SHA-256', Buffer.from('x'));
    const ssha = await hashPassword('SSHA256', Buffer.from('x'));
    const rows: readonly (readonly [ScramLookupInput['row'], string])[] = [
      [null, 'unknown user'],
      [{ password: scram, isActive: false }, 'disabled user'],
      [{ password: ssha, isActive: true }, 'password not stored for SCRAM'],
    ];
    const first = credentialsOf(await lookUpScram(input));
    for (const [row, reason] of rows) {
      t.same(await lookUpScram({ ...input, row }), { found: 'decoy', reason, credentials: first });
    }
  },
);

t.test('a decoy looks like a real account, and like no other decoy', async (t) => {
  const scram = await hashPassword('SCRAM-SHA-256', Buffer.from('x'));
  const sample = [scram.replace('10000,', '5000,')];
  const one = credentialsOf(await lookUpScram({ ...input, sample }));
  const otto = { ...login, user: 'otto' };
  const other = credentialsOf(await lookUpScram({ ...input, sample, login: otto }));
  const secretly = { ...input, sample, secret: Buffer.alloc(32, 2) };
  const elsewhere = credentialsOf(await lookUpScram(secretly));
  t.equal(one.iterations, 5000);
  t.equal(one.salt.length, 16);
  t.notSame(one.salt, other.salt);
  t.notSame(one.salt, elsewhere.salt);
});
