// What is known of a message's octets: a packed value that is never mistaken for a number.

import t from 'tap';
import {
  areCounted,
  countedOctets,
  knownOctets,
  namedOctets,
  octetsIfKnown,
  unknownOctets,
} from '../../../../src/maildrop/messages/octets.js';

for (const octets of [0, 1, 2 ** 31, Number.MAX_SAFE_INTEGER - 2]) {
  t.test(`${octets} octets are themselves, named or counted`, (t) => {
    t.equal(knownOctets(namedOctets(octets)), octets);
    t.equal(octetsIfKnown(countedOctets(octets)), octets);
    t.notOk(areCounted(namedOctets(octets)));
    t.ok(areCounted(countedOctets(octets)));
    t.not(namedOctets(octets), unknownOctets);
    t.end();
  });
}

t.test('unknown octets are an error where somebody needs them, and not 0', (t) => {
  t.equal(octetsIfKnown(unknownOctets), null);
  t.throws(() => knownOctets(unknownOctets), /unknown/);
  t.notOk(areCounted(unknownOctets));
  t.end();
});
