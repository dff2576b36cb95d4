import t from 'tap';
import { VerifiedPasswords } from '../../../../src/auth/verifying/verified-passwords.js';

const proof = { user: 'anna', domain: 'example.org', stored: '{X}y', password: Buffer.from('pw') };

t.test('remembers exactly what was added', (t) => {
  const verified = new VerifiedPasswords(10);
  t.equal(verified.has(proof), false);
  verified.add(proof);
  t.equal(verified.has(proof), true);
  t.equal(verified.has({ ...proof, password: Buffer.from('pW') }), false);
  t.equal(verified.has({ ...proof, stored: '{X}z' }), false);
  t.equal(verified.has({ ...proof, user: 'otto' }), false);
  t.equal(verified.has({ ...proof, user: 'ann', domain: 'aexample.org' }), false);
  t.end();
});

t.test('forgets the one longest unused when it is full', (t) => {
  const verified = new VerifiedPasswords(2);
  const [one, two, three] = ['1', '2', '3'].map((user) => ({ ...proof, user })) as [
    typeof proof,
    typeof proof,
    typeof proof,
  ];
  verified.add(one);
  verified.add(two);
  t.equal(verified.has(one), true);
  verified.add(three);
  t.equal(verified.has(two), false);
  t.equal(verified.has(one), true);
  t.equal(verified.has(three), true);
  t.end();
});

t.test('with a capacity of 0 it remembers nothing', (t) => {
  const verified = new VerifiedPasswords(0);
  verified.add(proof);
  t.equal(verified.has(proof), false);
  t.end();
});
