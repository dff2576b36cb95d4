// The socket of `--control`, at which whoever may write to it asks and commands. Bounded, and never
// in the way of connections.

import { lstatSync, unlinkSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { ConfigurationError } from '../../system/failures/failures.js';
import { tryControlRequest, type ControlReply, type ControlRequest } from './control-protocol.js';
import { systemWords } from '../../system/failures/system-words.js';

const maxRequestOctets = 4096;
const maxConnections = 16;
const timeoutMs = 10_000;

/** Only the user that tcpsrun runs as, and root. */
const othersMay = 0o177;

/**
 * Listens at a path. A socket that somebody left there is replaced; anything else is not.
 *
 * @returns what closes it and removes it
 * @throws ConfigurationError
 */
export async function openControlSocket(
  path: string,
  answer: (request: ControlRequest) => ControlReply,
): Promise<() => void> {
  await removeLeftSocket(path);
  const server = createServer({ allowHalfOpen: true }, (socket) => serve(socket, answer));
  server.maxConnections = maxConnections;
  await listenAt(server, path);
  server.on('error', () => undefined);
  // Sessions keep the process, and nobody who asks about them.
  server.unref();
  return () => server.close();
}

function listenAt(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(fault(path, systemWords(error))));
    server.once('listening', () => {
      server.removeAllListeners('error');
      resolve();
    });
    // It is bound before this returns, so nothing else is made with this mask.
    const before = process.umask(othersMay);
    try {
      server.listen(path);
    } finally {
      process.umask(before);
    }
  });
}

async function removeLeftSocket(path: string): Promise<void> {
  let isSocket;
  try {
    isSocket = lstatSync(path).isSocket();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw fault(path, systemWords(error));
  }
  if (!isSocket) throw fault(path, 'is there and is no socket');
  if (await isAnswered(path)) throw fault(path, 'another tcpsrun listens there');
  try {
    unlinkSync(path);
  } catch (error) {
    throw fault(path, systemWords(error));
  }
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
}

function fault(path: string, why: string): ConfigurationError {
  return new ConfigurationError(`option --control: ${path}: ${why}`);
}

function serve(socket: Socket, answer: (request: ControlRequest) => ControlReply): void {
  let received = '';
  socket.unref();
  socket.setEncoding('utf8').setTimeout(timeoutMs, () => socket.destroy());
  socket.on('error', () => undefined);
  socket.on('end', () => socket.end());
  socket.on('data', (text: string) => {
    received += text;
    const end = received.indexOf('\n');
    if (end === -1 && received.length <= maxRequestOctets) return;
    socket.removeAllListeners('data').resume();
    const request = tryControlRequest(received.slice(0, end));
    const reply = request === null ? { error: 'no such command' } : answer(request);
    socket.end(`${JSON.stringify(reply)}\n`);
  });
}
