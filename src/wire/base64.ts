// Base64 as RFC 4648 §4 and RFC 5034 §4 want it: Node's own decoder skips what it does not know.

/**
 * Matches canonical base64 with its padding, and the empty text; for use inside larger patterns.
 */
export const base64Pattern = '(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?';

const whole = new RegExp(`^${base64Pattern}$`);

/** @returns the octets, none for an empty text; null for anything but base64 */
export function tryBase64(text: string): Buffer | null {
  return whole.test(text) ? Buffer.from(text, 'base64') : null;
}
