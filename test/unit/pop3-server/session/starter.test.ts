import t from 'tap';
import { failedLoginsNamedIn } from '../../../../src/pop3-server/session/starter.js';

t.test('FAILED_LOGINS is a whole number, or nothing is known', (t) => {
  for (const [text, count] of [
    ['0', 0],
    ['7', 7],
    ['', 0],
    ['-1', 0],
    ['1e3', 0],
    ['many', 0],
    ['99999999999', 0],
  ] as const) {
    t.equal(failedLoginsNamedIn({ FAILED_LOGINS: text }), count, `"${text}"`);
  }
  t.equal(failedLoginsNamedIn({}), 0);
  t.end();
});
