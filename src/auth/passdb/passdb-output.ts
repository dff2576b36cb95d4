// What passdb prints, whatever other programs have put into the database.

import { exitCode, type ExitCode } from '../../system/failures/exit-code.js';
import type { LoginName } from '../accounts/login-name.js';

/** What would move a terminal's cursor, or end the line, is written as `\u{hex}`. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => {
    const digits = (character.codePointAt(0) ?? 0).toString(16);
    return `\\u{${digits}}`;
  });
}

/** Says why not. @returns `no` */
export function refuse(
  { prompts }: { readonly prompts: NodeJS.WritableStream },
  { user, domain }: LoginName,
  why: string,
): ExitCode {
  prompts.write(`passdb: ${printable(`${user}@${domain}: ${why}`)}\n`);
  return exitCode.no;
}
