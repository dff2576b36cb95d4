// Whether the peer of a connection that nobody reads has reset it meanwhile.

import type { Socket } from 'node:net';

/**
 * Asks the system again for the peer's address, which a connection that was reset no longer has. A
 * peer that only closed its sending side is still there. Node has no public way to ask a second
 * time; without the private one the answer is false, and the program started for the connection
 * finds out.
 */
export function hasPeerLeft(socket: Socket): boolean {
  if (socket.destroyed) return true;
  const { _handle: handle } = socket as unknown as { _handle?: unknown };
  if (typeof handle !== 'object' || handle === null || !('getpeername' in handle)) return false;
  const { getpeername } = handle;
  return typeof getpeername === 'function' && Number(getpeername.call(handle, {})) !== 0;
}
