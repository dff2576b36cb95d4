import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import t from 'tap';
import { systemWords } from '../../../../src/system/failures/system-words.js';

/** As Node makes it. */
function systemError(code: string, errno?: number): Error {
  return Object.assign(new Error(`${code}: internals`), { code, errno });
}

t.test("the system's errors have its words, and nothing else", (t) => {
  try {
    readFileSync('/nonexistent');
  } catch (error) {
    t.equal(systemWords(error), 'no such file or directory');
  }
  t.equal(systemWords(systemError('EDQUOT', -constants.errno.EDQUOT)), 'disk quota exceeded');
  t.equal(systemWords(systemError('ENOTFOUND')), 'no such host');
  t.equal(systemWords(systemError('ENOTFOUND', -3008)), 'no such host');
  t.equal(systemWords(systemError('EAI_AGAIN', -3001)), 'no name server answers');
  t.end();
});

t.test('an error for several addresses has the words of each, once', (t) => {
  const refused = systemError('ECONNREFUSED', -constants.errno.ECONNREFUSED);
  const unreachable = systemError('ENETUNREACH', -constants.errno.ENETUNREACH);
  t.equal(
    systemWords(new AggregateError([refused, unreachable, refused])),
    'connection refused; network is unreachable',
  );
  t.end();
});

t.test('other errors have their message', (t) => {
  t.equal(systemWords(new Error('is no lock')), 'is no lock');
  t.equal(systemWords('thrown'), 'thrown');
  t.end();
});
