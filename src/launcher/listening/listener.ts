// The listening socket, bound here or by a service manager. Connections arrive paused.

import { createServer, isIP, type Server, type Socket } from 'node:net';
import { isListedAsListening } from './socket-activation.js';
import { ConfigurationError, TemporaryError } from '../../system/failures/failures.js';
import { systemWords } from '../../system/failures/system-words.js';

export interface ListenerOptions {
  /** An IPv4 or IPv6 literal, a zone allowed; `::` takes both families. Not used with `fd`. */
  readonly address: string;
  /** 0: any. */
  readonly port: number;
  /** listen(2)'s; the system has a limit of its own. */
  readonly backlog: number;
  /** A descriptor that listens already. */
  readonly fd: number | undefined;
}

export interface Listener {
  /** Where it really listens. */
  readonly address: string;
  readonly port: number;
  /** Closes the listening socket; accepted connections are not touched. */
  close(): void;
}

/**
 * Starts to listen.
 *
 * @param onConnection gets every connection; nothing has been read from it, and its errors have a
 *   listener
 * @param onAcceptError gets what accept(2) failed with; the service goes on
 * @throws ConfigurationError when it never can (no address literal, no permission), TemporaryError
 *   when it may later (in use)
 */
export async function listen(
  options: ListenerOptions,
  onConnection: (socket: Socket) => void,
  onAcceptError: (error: Error) => void,
): Promise<Listener> {
  if (isIP(options.address) === 0) {
    throw new ConfigurationError(`address "${options.address}" is no IPv4 or IPv6 address`);
  }
  const server = createServer(
    { pauseOnConnect: true, allowHalfOpen: true, noDelay: true, keepAlive: true },
    (socket) => {
      // A peer may reset at any moment, also while nobody here reads.
      socket.on('error', () => undefined);
      onConnection(socket);
    },
  );
  const { fd } = options;
  const wasListed = fd !== undefined && isListedAsListening(fd);
  await bind(server, options);
  server.on('error', onAcceptError);
  if (fd !== undefined && !wasListed && isListedAsListening(fd)) {
    // Only now it listens: where nobody wanted it, if it was not even bound.
    server.close();
    throw new ConfigurationError(`descriptor ${fd} was passed as a listening socket and is none`);
  }
  const bound = server.address();
  if (bound === null || typeof bound === 'string') {
    server.close();
    throw new ConfigurationError(`descriptor ${fd ?? '?'} is no listening TCP socket`);
  }
  return {
    address: bound.address,
    port: bound.port,
    close: () => server.close(),
  };
}

function bind(server: Server, { address, port, backlog, fd }: ListenerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const where = fd === undefined ? `${address} port ${port}` : `descriptor ${fd}`;
      const why = `cannot listen on ${where}: ${systemWords(error)}`;
      reject(
        permanentCodes.has(error.code ?? '')
          ? new ConfigurationError(why)
          : new TemporaryError(why),
      );
    });
    server.once('listening', () => {
      server.removeAllListeners('error');
      resolve();
    });
    server.listen(fd === undefined ? { host: address, port, backlog } : { fd, backlog });
  });
}

const permanentCodes = new Set(['EACCES', 'EPERM', 'EAFNOSUPPORT', 'EINVAL', 'ENOTSOCK', 'EBADF']);
