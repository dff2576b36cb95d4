// The client's side of TLS for tests: a handshake over a connection that so far spoke POP3 in the clear, or nothing.

import { Duplex } from 'node:stream';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { deadline } from '../suite/deadline.js';
import { WireClient } from './wire-client.js';

export interface TlsPeer {
  readonly socket: TLSSocket;
  readonly client: WireClient;
}

const handshakeDeadlineMs = 20_000;

/**
 * Shakes hands. The certificate is not verified: tests make their own.
 *
 * @throws the handshake's error, also when the server hangs up instead
 */
export async function shakeHands(
  connection: Duplex,
  options: ConnectionOptions = {},
): Promise<TlsPeer> {
  const socket = connectTls({ socket: connection, rejectUnauthorized: false, ...options });
  const secured = new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve).once('error', reject);
    socket.once('close', () => reject(new Error('the server closed instead of shaking hands')));
  });
  // In TLS 1.3 the server can still refuse afterwards; the reader of the stream sees that.
  socket.on('error', () => undefined);
  await deadline(secured, handshakeDeadlineMs, () => 'the handshake goes on');
  return { socket, client: new WireClient(socket, socket) };
}

/** Reads the greeting, says STLS, which must be answered +OK, and shakes hands. */
export async function startTls(
  connection: Duplex,
  options: ConnectionOptions = {},
): Promise<TlsPeer> {
  const clear = new WireClient(connection, connection);
  await clear.status();
  await clear.ok('STLS');
  return shakeHands(leaveClear(connection), options);
}

/** Takes a connection from the `WireClient` that reads it, to go on with TLS. */
export function leaveClear(connection: Duplex): Duplex {
  connection.pause();
  connection.removeAllListeners('data');
  return connection;
}
