// TLS on the server's side: certificate and key from PEM files, and the handshake over any duplex
// stream. RFC 8446, RFC 8996, RFC 9325.

import { constants, createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import { createSecureContext, TLSSocket, type SecureContext } from 'node:tls';
import { describeTlsFailure } from './tls-failure.js';
import { ConfigurationError } from '../failures/failures.js';

/**
 * RFC 9325 §4.2: forward secrecy and authenticated encryption only. Node's own list still has
 * static RSA and CBC at its end.
 */
const cipherSuites = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
];

export interface ServerTls {
  /** What an administrator should know, though it works: a key that others can read. */
  readonly warnings: readonly string[];
  /** Fingerprint of the server's own certificate. */
  readonly identity: string;
  /**
   * Shakes hands over a connection of which nobody else reads any more.
   *
   * @returns the encrypted stream
   * @throws Error that says why in words for a log: the handshake failed, took longer than
   *   `timeoutMs`, or the peer closed its side first; the connection is destroyed then
   */
  accept(connection: Duplex, timeoutMs: number): Promise<TLSSocket>;
}

/**
 * Loads a certificate chain and its key; both may be in one file.
 *
 * @throws ConfigurationError that names the file: unreadable, not PEM, expired, not yet valid, or a
 *   key of another certificate, which OpenSSL itself lets pass where its type is another
 */
export function loadServerTls(certificateFile: string, keyFile: string): ServerTls {
  const certificatePem = readPem(certificateFile);
  const keyPem = certificateFile === keyFile ? certificatePem : readPem(keyFile);
  const certificate = parseCertificate(certificateFile, certificatePem);
  refuseOutsideValidity(certificateFile, certificate);
  if (!certificate.checkPrivateKey(parseKey(keyFile, keyPem))) {
    throw new ConfigurationError(`${keyFile}: no key for the certificate in ${certificateFile}`);
  }
  const secureContext = createContext({ certificateFile, certificatePem, keyFile, keyPem });
  return {
    warnings: warningsOf(keyFile),
    identity: certificate.fingerprint256,
    accept: (connection, timeoutMs) => accept(connection, secureContext, timeoutMs),
  };
}

function readPem(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new ConfigurationError(`${file}: ${(error as Error).message}`);
  }
}

function parseCertificate(file: string, pem: Buffer): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw new ConfigurationError(`${file}: no certificate in PEM`);
  }
}

function parseKey(file: string, pem: Buffer): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    throw new ConfigurationError(`${file}: no key in PEM that can be read without a passphrase`);
  }
}

function refuseOutsideValidity(file: string, { validFrom, validTo }: X509Certificate): void {
  const now = Date.now();
  if (now > Date.parse(validTo)) {
    throw new ConfigurationError(`${file}: the certificate expired on ${validTo}`);
  }
  if (now < Date.parse(validFrom)) {
    throw new ConfigurationError(`${file}: the certificate is not valid before ${validFrom}`);
  }
}

interface ContextFiles {
  readonly certificateFile: string;
  readonly certificatePem: Buffer;
  readonly keyFile: string;
  readonly keyPem: Buffer;
}

function createContext(files: ContextFiles): SecureContext {
  const { certificateFile, certificatePem, keyFile, keyPem } = files;
  try {
    // Without the key, to tell whose fault it is: a chain with a broken link, a key too short to be
    // safe.
    createSecureContext({ cert: certificatePem });
  } catch (error) {
    throw new ConfigurationError(
      `${certificateFile}: not usable as a certificate: ${describeTlsFailure(error as Error)}`,
    );
  }
  try {
    return createSecureContext({
      cert: certificatePem,
      key: keyPem,
      minVersion: 'TLSv1.2',
      ciphers: cipherSuites.join(':'),
      honorCipherOrder: true,
      // A client has no reason for another handshake; each costs us more than it.
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    });
  } catch (error) {
    throw new ConfigurationError(
      `${keyFile}: no key for the certificate in ${certificateFile}: ${describeTlsFailure(error as Error)}`,
    );
  }
}

function warningsOf(keyFile: string): readonly string[] {
  const others = statSync(keyFile).mode & 0o007;
  return others === 0 ? [] : [`${keyFile} holds the private key and can be read by others`];
}

function accept(
  connection: Duplex,
  secureContext: SecureContext,
  timeoutMs: number,
): Promise<TLSSocket> {
  // Errors of the stream below show on the stream above.
  connection.on('error', () => undefined);
  const socket = new TLSSocket(connection, {
    isServer: true,
    secureContext,
    requestCert: false,
  });
  return new Promise((resolve, reject) => {
    const settle = (error: Error | null): void => {
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
    const onSecure = (): void => settle(null);
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
