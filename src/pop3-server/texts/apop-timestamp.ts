// The timestamp in the greeting of a server that offers APOP. RFC 1939 §7.

import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';

/** `<process-id.random@host>`: in the form of a message-id, and never the same twice. */
export function makeApopTimestamp(): string {
  const host = hostname().replace(/[^A-Za-z0-9.-]/g, '') || 'localhost';
  return `<${process.pid}.${randomBytes(12).toString('hex')}@${host}>`;
}
