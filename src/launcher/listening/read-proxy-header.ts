// Reads a PROXY header from an accepted connection, and not one octet more: what follows is the
// program's. Node reads ahead unless it is given a buffer of exactly the size that may be read, and
// takes such buffers only when a socket is made; so the connection is taken from the socket that
// was accepted, and given to another one. That is not needed where the header is there already, as
// it mostly is: a proxy sends it with the connection.

import { readSync } from 'node:fs';
import { Socket } from 'node:net';
import { tryDescriptorOf } from '../../system/descriptors/descriptor-of.js';
import { ConfigurationError } from '../../system/failures/failures.js';
import { ProxyHeaderError, ProxyHeaderReader, type ProxyHeader } from './proxy-header.js';

/** A socket's connection, which Node has no public name for. */
interface WithHandle {
  _handle: unknown;
}

/** @throws ConfigurationError when this version of Node cannot do it */
export function requireExactReading(): void {
  if ('_handle' in new Socket()) return;
  throw new ConfigurationError(
    `option --proxy-from: Node.js ${process.version} has no way to read a header and not more`,
  );
}

/** A connection whose header was read. */
export interface IdentifiedConnection {
  /** Paused; the first octet to be read from it is the one behind the header. */
  readonly socket: Socket;
  readonly header: ProxyHeader;
}

/**
 * @param accepted paused since it was accepted; not to be used any more
 * @throws Error that says why there is no header; the connection is closed then
 */
export async function readProxyHeader(
  accepted: Socket,
  timeoutMs: number,
): Promise<IdentifiedConnection> {
  const reader = new ProxyHeaderReader();
  try {
    const header = tryReadNow(accepted, reader);
    if (header !== null) return { socket: accepted, header };
    return await waitForHeader(accepted, reader, timeoutMs);
  } catch (error) {
    accepted.destroy();
    if (!(error instanceof ProxyHeaderError)) throw error;
    throw new Error(`no PROXY header: ${error.message}`, { cause: error });
  }
}

/** @returns null when the header is not whole yet, or the connection is broken */
function tryReadNow(socket: Socket, reader: ProxyHeaderReader): ProxyHeader | null {
  const fd = tryDescriptorOf(socket);
  if (fd === null) return null;
  for (;;) {
    const octets = Buffer.allocUnsafe(reader.wanted);
    let count;
    try {
      count = readSync(fd, octets);
    } catch {
      return null;
    }
    if (count === 0) return null;
    const header = reader.add(octets.subarray(0, count));
    if (header !== null) return header;
  }
}

function waitForHeader(
  accepted: Socket,
  reader: ProxyHeaderReader,
  timeoutMs: number,
): Promise<IdentifiedConnection> {
  return new Promise((resolve, reject) => {
    const fail = (why: Error): void => {
      stopWaiting();
      socket.destroy();
      reject(why);
    };
    const onRead = (count: number, octets: Uint8Array): boolean => {
      let header: ProxyHeader | null;
      try {
        header = reader.add(Buffer.from(octets.subarray(0, count)));
      } catch (error) {
        fail(error as Error);
        return false;
      }
      if (header === null) return true;
      stopWaiting();
      const found = header;
      // Not from within the reading, which stops when this function returns.
      setImmediate(() => {
        socket.pause();
        resolve({ socket, header: found });
      });
      return false;
    };
    const socket = takeOver(accepted, () => Buffer.allocUnsafe(reader.wanted), onRead);
    const onEnd = (): void => fail(new Error('it closed before its PROXY header was whole'));
    const timer = setTimeout(() => fail(new Error('its PROXY header is late')), timeoutMs);
    const stopWaiting = (): void => {
      clearTimeout(timer);
      socket.off('end', onEnd);
      socket.off('close', onEnd);
    };
    socket.on('error', () => undefined);
    socket.on('end', onEnd);
    socket.on('close', onEnd);
    socket.resume();
  });
}

function takeOver(
  accepted: Socket,
  buffer: () => Buffer,
  callback: (count: number, octets: Uint8Array) => boolean,
): Socket {
  const held = accepted as unknown as WithHandle;
  const handle = held._handle;
  held._handle = null;
  accepted.destroy();
  const options = {
    handle,
    allowHalfOpen: true,
    pauseOnCreate: true,
    onread: { buffer, callback },
  };
  return new Socket(options);
}
