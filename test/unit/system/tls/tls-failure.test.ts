import { createSecureContext } from 'node:tls';
import t from 'tap';
import { describeTlsFailure } from '../../../../src/system/tls/tls-failure.js';

t.test("of OpenSSL's errors only the reason stays", (t) => {
  let failure = new Error('none');
  try {
    createSecureContext({ key: 'no key' });
  } catch (error) {
    failure = error as Error;
  }
  t.match(failure.message, /^error:[0-9A-F]+:/);
  t.match(describeTlsFailure(failure), /^[A-Za-z ]+$/);
  t.end();
});

t.test('other errors say what they say', (t) => {
  t.equal(describeTlsFailure(new Error('read ECONNRESET')), 'read ECONNRESET');
  t.end();
});
