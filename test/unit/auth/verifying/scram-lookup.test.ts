import t from 'tap';
import type { ScramCredentials, ScramLookup } from '../../../../src/auth/accounts/authenticator.js';
import { hashPassword } from '../../../../src/auth/stored/make-password.js';
import { hash, hmac, saltedPassword } from '../../../../src/auth/stored/scram-keys.js';
import {
  parseStoredPassword,
  type StoredPassword,
} from '../../../../src/auth/stored/parse-stored-password.js';
import { unlimited } from '../../../../src/auth/accounts/grant.js';
import {
  lookUpScram,
  type ScramCandidate,
  type ScramLookupInput,
} from '../../../../src/auth/verifying/scram-lookup.js';

const login = { user: 'anna', domain: 'example.org' };
const input: ScramLookupInput = {
  login,
  candidates: [],
  mismatch: 'wrong password',
  seed: Buffer.alloc(32, 1),
  model: null,
};

function candidate(stored: StoredPassword, isActive = true): ScramCandidate {
  return { stored, isActive, grant: unlimited, refusal: null };
}

async function storedKey(password: string, salt: Buffer, iterations: number): Promise<Buffer> {
  return hash(hmac(await saltedPassword(Buffer.from(password), salt, iterations), 'Client Key'));
}

function credentialsOf(lookup: ScramLookup): ScramCredentials {
  if (lookup.found === 'unavailable') throw new Error(lookup.reason);
  return lookup.credentials;
}

t.test('a SCRAM row gives what is stored', async (t) => {
  const password = await hashPassword('SCRAM-SHA-256', Buffer.from('pencil'));
  const lookup = await lookUpScram({
    ...input,
    candidates: [candidate(parseStoredPassword(password))],
  });
  t.match(lookup, { found: 'credentials', identity: login });
  const { salt, iterations, storedKey: stored } = credentialsOf(lookup);
  t.same(await storedKey('pencil', salt, iterations), stored);
});

t.test('a password in clear gives credentials that are the same each time', async (t) => {
  const stored = parseStoredPassword('{PLAIN}caf\u00e9');
  const lookup = await lookUpScram({ ...input, candidates: [candidate(stored)] });
  t.match(lookup, { found: 'credentials', identity: login });
  t.same(await lookUpScram({ ...input, candidates: [candidate(stored)] }), lookup);
  const { salt, iterations, storedKey: key } = credentialsOf(lookup);
  t.same(await storedKey('caf\u00e9', salt, iterations), key);
});

t.test('unknown users and those with other schemes get the same decoy', async (t) => {
  const ssha = parseStoredPassword(await hashPassword('SSHA256', Buffer.from('x')));
  const first = credentialsOf(await lookUpScram(input));
  for (const [candidates, reason] of [
    [[], 'unknown user'],
    [[candidate(ssha)], 'password not stored for SCRAM'],
    [[candidate(ssha, false)], 'disabled user'],
  ] as const) {
    t.same(await lookUpScram({ ...input, candidates }), {
      found: 'decoy',
      ...(candidates.length === 0 ? { isUnknown: true } : {}),
      reason,
      credentials: first,
    });
  }
});

t.test('a user who is disabled looks as before', async (t) => {
  const password = await hashPassword('SCRAM-SHA-256', Buffer.from('x'));
  const stored = parseStoredPassword(password);
  const before = await lookUpScram({ ...input, candidates: [candidate(stored)] });
  const after = await lookUpScram({ ...input, candidates: [candidate(stored, false)] });
  t.match(after, { found: 'decoy', reason: 'disabled user' });
  t.same(credentialsOf(after), credentialsOf(before));
});

t.test('a decoy looks like its model, and like no other decoy', async (t) => {
  const key = Buffer.alloc(32, 3).toString('base64');
  const salt = Buffer.alloc(24, 4);
  const model = parseStoredPassword(`{SCRAM-SHA-256}5000,${salt.toString('base64')},${key},${key}`);
  const one = credentialsOf(await lookUpScram({ ...input, model }));
  const other = credentialsOf(await lookUpScram({ ...input, model, seed: Buffer.alloc(32, 2) }));
  t.equal(one.iterations, 5000);
  t.equal(one.salt.length, 24);
  t.notSame(one.salt, salt);
  t.notSame(one.salt, other.salt);
  const ofPlain = await lookUpScram({ ...input, model: parseStoredPassword('{PLAIN}x') });
  const plain = await lookUpScram({
    ...input,
    candidates: [candidate(parseStoredPassword('{PLAIN}x'))],
  });
  t.same(credentialsOf(ofPlain).salt, credentialsOf(plain).salt, 'as those with {PLAIN} do');
});

t.test('further passwords serve where they were made with the same salt and cost', async (t) => {
  const key = (fill: number): string => Buffer.alloc(32, fill).toString('base64');
  const made = (salt: string, fill: number): StoredPassword =>
    parseStoredPassword(`{SCRAM-SHA-256}5000,${salt},${key(fill)},${key(fill)}`);
  const ssha = parseStoredPassword(await hashPassword('SSHA256', Buffer.from('x')));
  const candidates = [ssha, made('c2FsdA==', 1), made('b3RoZXI=', 2), made('c2FsdA==', 3)].map(
    (stored) => candidate(stored),
  );
  const lookup = await lookUpScram({ ...input, candidates });
  t.match(lookup, {
    found: 'credentials',
    credentials: { salt: Buffer.from('salt') },
    passwords: [{ storedKey: Buffer.alloc(32, 1) }, { storedKey: Buffer.alloc(32, 3) }],
  });
  t.equal(lookup.found === 'credentials' && lookup.passwords.length, 2);
});
