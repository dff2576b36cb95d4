// The descriptor of a socket.

import type { Socket } from 'node:net';

/** Node has no public way to learn it. @returns null where it has no other way either */
export function tryDescriptorOf(socket: Socket): number | null {
  const { _handle: handle } = socket as unknown as { _handle?: { readonly fd?: unknown } | null };
  return typeof handle?.fd === 'number' && handle.fd >= 0 ? handle.fd : null;
}
