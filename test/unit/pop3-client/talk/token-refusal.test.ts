import t from 'tap';
import { describeTokenRefusal } from '../../../../src/pop3-client/talk/token-refusal.js';

const err = (text: string): { isOk: boolean; code: string | null; text: string } => ({
  ...{ isOk: false, code: null, text },
});

t.test('each reason that a server can give has words of its own', (t) => {
  for (const [status, scope, words] of [
    ['invalid_token', null, /expired, was revoked/],
    ['401', 'mail', /expired, was revoked/],
    [
      'insufficient_scope',
      'https://mail.example/',
      /scope does not allow POP3; .*"https:\/\/mail.example\/"/,
    ],
    ['403', null, /scope does not allow POP3$/],
    ['400', 'mail', /not a token that this server understands.*"mail"/],
    ['', null, /no reason was given; .* switched off/],
    ['odd\r\n', null, /status "odd\?"/],
  ] as const) {
    t.match(describeTokenRefusal({ status, scope }, err('')), words, status);
  }
  t.end();
});

t.test('that POP3 is switched off is said first, whatever the status', (t) => {
  for (const text of [
    'Your account is not enabled for POP access. Please visit your settings page.',
    'POP3 is disabled for this mailbox',
  ]) {
    t.match(describeTokenRefusal(null, err(text)), /^POP3 is switched off for this mailbox.*\("/);
  }
  t.match(
    describeTokenRefusal(null, err('Authentication failure: unknown user name or bad password.')),
    /^no reason was given/,
  );
  t.end();
});
