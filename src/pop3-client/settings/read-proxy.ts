// What `--proxy` means.

import { UsageError } from '../../system/failures/failures.js';
import type { ProxySettings } from './settings.js';

/** RFC 1928 §3. */
const socksPort = 1080;

/** @throws UsageError, without the text, which may hold a password */
export function readProxy(text: string | undefined): ProxySettings | null {
  if (text === undefined) return null;
  const [, credentials, bracketed, name, digits = String(socksPort)] =
    /^socks5h?:\/\/(?:([^@/]*)@)?(?:\[([0-9a-f:.]+)\]|([^\s:@/?#[\]]+))(?::([0-9]{1,5}))?\/?$/i.exec(
      text,
    ) ?? [];
  const host = bracketed ?? name;
  const port = Number(digits);
  if (host === undefined || port < 1 || port > 65_535) {
    throw new UsageError('option --proxy needs socks5://[USER:PASSWORD@]HOST[:PORT]');
  }
  return { host, port, login: credentials === undefined ? null : readLogin(credentials) };
}

/** RFC 3986 §2.1: what would have a meaning in a URL is `%` and two hex digits. */
function readLogin(text: string): ProxySettings['login'] {
  const [user = '', password = ''] = text.split(/:(.*)/s).map((word) => {
    try {
      return decodeURIComponent(word);
    } catch {
      throw new UsageError('option --proxy: write "%" in user or password as %25');
    }
  });
  for (const word of [user, password]) {
    const { length } = Buffer.from(word);
    if (length >= 1 && length <= 255) continue;
    throw new UsageError('option --proxy: user and password have 1 to 255 octets each');
  }
  return { user, password };
}
