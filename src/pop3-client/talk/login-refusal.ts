// What -ERR to a login means: another way may do, only another password would, or the same one
// later.

import { TemporaryError } from '../../system/failures/failures.js';
import type { Response } from '../../wire/response.js';
import { TooEarly } from '../settings/failures.js';

export type Refusal = 'temporary' | 'final' | 'of this method';

/** RFC 2449 §8.1 (IN-USE, LOGIN-DELAY), RFC 3206 §4 (SYS). */
const codes: Readonly<Record<string, Refusal>> = {
  'IN-USE': 'temporary',
  'LOGIN-DELAY': 'temporary',
  'SYS/TEMP': 'temporary',
  'SYS/PERM': 'final',
};

/**
 * Servers without codes: RFC 1939 §7 (PASS) itself has "unable to lock maildrop" and "maildrop
 * already locked".
 */
const temporaryWords = [
  /\b(maildrop|mail ?box|mail ?file|mail ?store|inbox|spool|folder|mdrop)\b.*\b(lock(ed)?|busy|in use|open)\b/i,
  /\b(unable|cannot|can't|could not|failed) (to )?(get |obtain |acquire )?(a |the )?lock\b/i,
  /\block (busy|failed|error)\b/i,
  /\b(another|other) (pop3? )?(session|client|connection)\b/i,
  /\b(try|retry|come back)\b.*\b(again|later|minutes?|seconds?)\b/i,
  /\b(temporar(y|ily)|unavailable|overload(ed)?|too (busy|many|frequent(ly)?|often|fast))\b/i,
];

/**
 * Judges a refused login.
 *
 * @param tellsPassword whether the server was told the password itself, so that AUTH (RFC 3206 §5)
 *   says it is wrong. After SCRAM or APOP, AUTH may only mean that the stored form does not fit the
 *   method
 */
export function judgeRefusal(
  { code, text }: Response,
  { tellsPassword }: { readonly tellsPassword: boolean },
): Refusal {
  const byCode = codes[code ?? ''];
  if (byCode !== undefined) return byCode;
  if (code === 'AUTH') return tellsPassword ? 'final' : 'of this method';
  return temporaryWords.some((words) => words.test(text)) ? 'temporary' : 'of this method';
}

/** What ends a login that is refused for now. @param said the server's words, for people */
export function notNow(user: string, said: string, { code }: Response): TemporaryError {
  const message = `the server does not let ${user} in now: ${said}`;
  return code === 'LOGIN-DELAY' ? new TooEarly(message) : new TemporaryError(message);
}
