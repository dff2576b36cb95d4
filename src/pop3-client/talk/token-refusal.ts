// What a refused access token means, in words for whoever reads cron's mail. RFC 7628 §3.2.2, RFC
// 6750 §3.1. Pure.

import type { BearerRefusal } from '../../auth/mechanisms/bearer-client.js';
import type { Response } from '../../wire/response.js';
import { quoteServerText } from '../settings/failures.js';

const switchedOff =
  /\bpop3?\b[^.]*\b(disabled|switched off|turned off|not (enabled|allowed|available))\b|\bnot (enabled|allowed) (for|to use) pop/i;

/** Whether a server says that no token would do. */
export function isSwitchedOff({ text }: Response): boolean {
  return switchedOff.test(text);
}

/**
 * @param refusal what the server said in its challenge; null when it refused without one
 * @param response its last word
 */
export function describeTokenRefusal(refusal: BearerRefusal | null, response: Response): string {
  const { code, text } = response;
  const said =
    text === '' ? '' : ` (${quoteServerText(code === null ? text : `[${code}] ${text}`)})`;
  return `${meaningOf(refusal, response)}${said}`;
}

function meaningOf(refusal: BearerRefusal | null, response: Response): string {
  if (isSwitchedOff(response)) {
    return 'POP3 is switched off for this mailbox: switch it on where the mailbox is administered';
  }
  if (refusal === null || refusal.status === '') {
    return (
      'no reason was given; the token may have expired, be for another user or lack the scope for POP3, ' +
      'or POP3 is switched off for this mailbox'
    );
  }
  const { status, scope } = refusal;
  switch (status) {
    case 'invalid_token':
    case '401':
      return 'it has expired, was revoked, or is for another user or server';
    case 'insufficient_scope':
    case '403':
      return (
        'its scope does not allow POP3' +
        (scope === null ? '' : `; the server wants ${quoteServerText(scope)}`)
      );
    case 'invalid_request':
    case '400':
      return (
        'it is not a token that this server understands; was it made for this provider' +
        (scope === null ? '?' : `, with ${quoteServerText(scope)}?`)
      );
    default:
      return `status ${quoteServerText(status)}`;
  }
}
