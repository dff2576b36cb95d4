import t from 'tap';
import { judgeRefusal } from '../../../../src/pop3-client/talk/login-refusal.js';
import { parseResponse } from '../../../../src/wire/response.js';

function judge(line: string, tellsPassword: boolean): string {
  const response = parseResponse(Buffer.from(line));
  return response === null ? 'no response' : judgeRefusal(response, { tellsPassword });
}

t.test('what passes by itself is temporary, with a code or in the words of servers', (t) => {
  for (const line of [
    '-ERR [IN-USE] no',
    '-ERR [LOGIN-DELAY] no',
    '-ERR [sys/temp] no',
    // RFC 1939 §7 (PASS), §4.
    '-ERR maildrop already locked',
    '-ERR unable to lock maildrop',
    '-ERR mailbox is locked by another POP3 session',
    '-ERR Unable to get lock',
    '-ERR pop3 lock busy! Is another session active?',
    '-ERR mail storage services unavailable, wait a few minutes and try again',
    '-ERR Server Unavailable. 21',
    '-ERR Temporary authentication failure',
    '-ERR Too many connections from your host',
    '-ERR please retry in 30 seconds',
    '-ERR Unable to open mailbox: mailbox in use',
  ]) {
    t.equal(judge(line, true), 'temporary', line);
    t.equal(judge(line, false), 'temporary', line);
  }
  t.end();
});

t.test('a code that is certain ends the login; others leave another method to try', (t) => {
  t.equal(judge('-ERR [SYS/PERM] account gone, try again later', true), 'final');
  t.equal(judge('-ERR [AUTH] wrong, try again later', true), 'final');
  t.equal(judge('-ERR [AUTH] no such mechanism for you', false), 'of this method');
  for (const line of [
    '-ERR',
    '-ERR invalid user or password',
    '-ERR account locked',
    '-ERR your account is locked out, call the office',
    '-ERR Protocol error. 19',
    '-ERR unknown command',
  ]) {
    t.equal(judge(line, true), 'of this method', line);
  }
  t.end();
});
