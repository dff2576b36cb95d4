// Login names as clients send them, taken apart into user and domain. Pure; knows nothing of the
// database.

import { isUtf8 } from 'node:buffer';

/**
 * Both names as the database holds them: ASCII lower-case, valid UTF-8, no control characters,
 * neither empty.
 */
export interface LoginName {
  readonly user: string;
  readonly domain: string;
}

/** Longest user or domain name: in octets, as the name of the directory it stands for. */
export const maxNameOctets = 255;

/**
 * Takes a login name apart at its last `@`. ASCII letters are lower-cased and one trailing dot of
 * the domain is dropped.
 *
 * @param name as the client sent it
 * @param defaultDomain for names without `@`; undefined: such names are refused
 * @returns null when no maildrop can have this name: an empty part, not UTF-8, a control character,
 *   or too long as a directory name
 */
export function tryLoginName(name: Buffer, defaultDomain: string | undefined): LoginName | null {
  if (name.length > 2 * maxNameOctets + 2 || !isUtf8(name)) return null;
  const text = lowerCaseAscii(name.toString('utf8'));
  // C0, DEL and C1: in a log, a path or a terminal they could pass for something else.
  if (/\p{Cc}/u.test(text)) return null;
  const at = text.lastIndexOf('@');
  if (at === -1 && defaultDomain === undefined) return null;
  const user = at === -1 ? text : text.slice(0, at);
  const domain = (at === -1 ? lowerCaseAscii(defaultDomain ?? '') : text.slice(at + 1)).replace(
    /\.$/,
    '',
  );
  if (!isPossibleDirectory(user) || !isPossibleDirectory(domain)) return null;
  return { user, domain };
}

/** Kelvin signs and dotted capitals are other letters than k and i: only A to Z change. */
export function lowerCaseAscii(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/**
 * A slash, a percent sign and a leading dot take three octets each once encoded as part of a path.
 */
function isPossibleDirectory(name: string): boolean {
  const encodedOctets =
    Buffer.byteLength(name) +
    2 * (name.match(/[/%]/g)?.length ?? 0) +
    (name.startsWith('.') ? 2 : 0);
  return name !== '' && encodedOctets <= maxNameOctets;
}
