import t from 'tap';
import { apopDigest, verifyApop } from '../../../../src/auth/mechanisms/apop.js';
import type { Authenticator, PlainLookup } from '../../../../src/auth/accounts/authenticator.js';
import { unlimited } from '../../../../src/auth/accounts/grant.js';

const timestamp = '<1896.697170952@dbc.mtview.ca.us>';
const identity = { user: 'mrose', domain: 'example.org' };

t.test("the digest is RFC 1939 §7's", (t) => {
  t.equal(apopDigest(timestamp, Buffer.from('tanstaaf')), 'c4c9334bac560ecc979e58001b3e22fb');
  t.end();
});

t.test('a digest is accepted for the right password of this greeting only', async (t) => {
  const labelled = { ...unlimited, label: 'phone' };
  const lookups: Readonly<Record<string, PlainLookup>> = {
    mrose: {
      found: 'passwords',
      mismatch: 'wrong password',
      identity,
      passwords: [
        { password: Buffer.from('another'), grant: unlimited, refusal: null },
        { password: Buffer.from('tanstaaf'), grant: labelled, refusal: null },
        { password: Buffer.from('elsewhere'), grant: unlimited, refusal: 'other networks' },
      ],
    },
    nobody: { found: 'nothing', reason: 'unknown user' },
    locked: { found: 'unavailable', isLasting: false, reason: 'locked' },
  };
  const unused = (): never => {
    throw new Error('not part of APOP');
  };
  const authenticator: Authenticator = {
    lookUpPlain: (name) =>
      Promise.resolve(lookups[name.toString()] ?? { found: 'nothing', reason: 'unknown user' }),
    verifyPassword: unused,
    lookUpScram: unused,
    offersScram: unused,
    leastDays: () => Promise.resolve(null),
    close: unused,
  };
  const elsewhere = apopDigest(timestamp, Buffer.from('elsewhere'));
  const right = 'c4c9334bac560ecc979e58001b3e22fb';
  const rows: readonly (readonly [name: string, digest: string, verdict: object])[] = [
    ['mrose', right, { verdict: 'accepted', identity, grant: labelled }],
    ['mrose', elsewhere, { verdict: 'rejected', reason: 'other networks' }],
    ['mrose', right.toUpperCase(), { verdict: 'rejected', reason: 'wrong password' }],
    ['mrose', right.slice(1), { verdict: 'rejected', reason: 'wrong password' }],
    ['mrose', '', { verdict: 'rejected', reason: 'wrong password' }],
    ['nobody', right, { verdict: 'rejected', reason: 'unknown user' }],
    [
      'nobody',
      apopDigest(timestamp, Buffer.alloc(16)),
      { verdict: 'rejected', reason: 'unknown user' },
    ],
    ['locked', right, { verdict: 'unavailable', isLasting: false, reason: 'locked' }],
  ];
  for (const [name, digest, verdict] of rows) {
    const given = { name: Buffer.from(name), timestamp, digest: Buffer.from(digest) };
    t.match(await verifyApop(authenticator, given), verdict);
  }
  const other = { name: Buffer.from('mrose'), timestamp: '<1@x>', digest: Buffer.from(right) };
  t.match(await verifyApop(authenticator, other), { verdict: 'rejected' });
});
