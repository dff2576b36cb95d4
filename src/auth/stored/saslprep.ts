// SASLprep (RFC 4013): one form for the many ways of typing a name or password. The tables load at
// the first text that is not plain ASCII.

import { isUtf8 } from 'node:buffer';

/**
 * RFC 3454 §7: a query may hold code points that Unicode 3.2 did not know; what is stored may not.
 */
export type SaslprepPurpose = 'query' | 'stored';

/**
 * Prepares a name or password.
 *
 * @returns null for what SASLprep prohibits: not UTF-8, control characters, mixed directions,
 *   nothing left
 */
export async function saslprep(bytes: Buffer, purpose: SaslprepPurpose): Promise<Buffer | null> {
  if (bytes.every((byte) => byte >= 0x20 && byte < 0x7f)) return bytes.length === 0 ? null : bytes;
  if (!isUtf8(bytes)) return null;
  const { default: prepare } = await import('@mongodb-js/saslprep');
  try {
    const prepared = prepare(bytes.toString('utf8'), { allowUnassigned: purpose === 'query' });
    return prepared === '' ? null : Buffer.from(prepared);
  } catch {
    return null;
  }
}
