// TLS on the server's side: the handshake over any duplex stream, with one certificate or with the
// one of several that is for the name a client asks for (RFC 6066 §3).

import type { Duplex } from 'node:stream';
import { TLSSocket, type SecureContext } from 'node:tls';
import { loadServerCertificate, type ServerCertificate } from './server-certificate.js';
import { describeTlsFailure } from './tls-failure.js';

/** The first is for clients that name no server, and for names that no other is for. */
export type ServerCertificates = readonly [ServerCertificate, ...ServerCertificate[]];

export interface ServerTls {
  /** What an administrator should know, though it works: a key that others can read. */
  readonly warnings: readonly string[];
  /**
   * Shakes hands over a connection of which nobody else reads any more.
   *
   * @returns the encrypted stream
   * @throws Error that says why in words for a log: the handshake failed, took longer than
   *   `timeoutMs`, or the peer closed its side first; the connection is destroyed then
   */
  accept(connection: Duplex, timeoutMs: number): Promise<TLSSocket>;
}

/** @param certificates asked before each handshake */
export function serverTls(certificates: () => ServerCertificates): ServerTls {
  return {
    get warnings() {
      return certificates().flatMap(({ warnings }) => warnings);
    },
    accept: (connection, timeoutMs) => accept(connection, certificates(), timeoutMs),
  };
}

/**
 * TLS with one certificate, which stays.
 *
 * @throws ConfigurationError, as `loadServerCertificate`
 */
export function loadServerTls(certificateFile: string, keyFile: string): ServerTls {
  const certificate = loadServerCertificate({ certificateFile, keyFile });
  return serverTls(() => [certificate]);
}

/** An unknown name gets the first certificate, and not an alert: the client may know why. */
function chooseByName(
  certificates: ServerCertificates,
): (name: string, choose: (error: Error | null, context?: SecureContext) => void) => void {
  return (name, choose) =>
    choose(
      null,
      (certificates.find((certificate) => certificate.isFor(name)) ?? certificates[0])
        .secureContext,
    );
}

function accept(
  connection: Duplex,
  [first, ...others]: ServerCertificates,
  timeoutMs: number,
): Promise<TLSSocket> {
  // Errors of the stream below show on the stream above.
  connection.on('error', () => undefined);
  const socket = new TLSSocket(connection, {
    isServer: true,
    secureContext: first.secureContext,
    requestCert: false,
    ...(others.length === 0 ? {} : { SNICallback: chooseByName([first, ...others]) }),
  });
  return new Promise((resolve, reject) => {
    let isSettled = false;
    const settle = (error: Error | null): void => {
      if (isSettled) return;
      isSettled = true;
      clearTimeout(timer);
      socket.off('secure', onSecure);
      socket.off('error', settle);
      socket.off('end', onGone);
      socket.off('close', onGone);
      socket.on('error', () => undefined);
      if (error === null) {
        resolve(socket);
      } else {
        socket.destroy();
        connection.destroy();
        reject(new Error(describeTlsFailure(error)));
      }
    };
    // TLS 1.3's session tickets are written after this event, in the same turn. A client that has
    // read a greeting sent before them may wait for ever for the data that it takes them for.
    const onSecure = (): void => void setImmediate(() => settle(null));
    // A side that is closed can still be written to, but who says nothing more cannot finish a
    // handshake.
    const onGone = (): void => settle(new Error('the peer closed the connection'));
    const timer = setTimeout(() => settle(new Error('the handshake took too long')), timeoutMs);
    socket.on('secure', onSecure);
    socket.on('error', settle);
    socket.on('end', onGone);
    socket.on('close', onGone);
    // What was over before does not show on the socket above it.
    if (connection.readableEnded || connection.destroyed) onGone();
  });
}
