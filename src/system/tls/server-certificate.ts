// A certificate chain and its key, from PEM files, and what OpenSSL makes of them. RFC 8446, RFC
// 8996, RFC 9325.

import { constants, createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { createSecureContext, type SecureContext } from 'node:tls';
import { describeTlsFailure } from './tls-failure.js';
import { ConfigurationError } from '../failures/failures.js';
import { systemWords } from '../failures/system-words.js';

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

/** Where a certificate chain and its key are; both may be in one file. */
export interface CertificateFiles {
  readonly certificateFile: string;
  readonly keyFile: string;
}

export interface ServerCertificate {
  /** What an administrator should know, though it works: a key that others can read. */
  readonly warnings: readonly string[];
  /** Fingerprint of the server's own certificate. */
  readonly identity: string;
  readonly secureContext: SecureContext;
  /** Whether it is for this name, which a client asked for (RFC 6066 §3, RFC 9525 §6.3). */
  isFor(name: string): boolean;
}

/**
 * Loads a certificate chain and its key.
 *
 * @throws ConfigurationError that names the file: unreadable, not PEM, expired, not yet valid, or a
 *   key of another certificate, which OpenSSL itself lets pass where its type is another
 */
export function loadServerCertificate(files: CertificateFiles): ServerCertificate {
  const { certificateFile, keyFile } = files;
  const certificatePem = readPem(certificateFile);
  const keyPem = certificateFile === keyFile ? certificatePem : readPem(keyFile);
  const certificate = parseCertificate(certificateFile, certificatePem);
  refuseOutsideValidity(certificateFile, certificate);
  if (!certificate.checkPrivateKey(parseKey(keyFile, keyPem))) {
    throw new ConfigurationError(`${keyFile}: no key for the certificate in ${certificateFile}`);
  }
  return {
    warnings: warningsOf(keyFile),
    identity: certificate.fingerprint256,
    secureContext: createContext({ ...files, certificatePem, keyPem }),
    isFor: (name) => certificate.checkHost(name) !== undefined,
  };
}

function readPem(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new ConfigurationError(`${file}: ${systemWords(error)}`);
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

interface ContextFiles extends CertificateFiles {
  readonly certificatePem: Buffer;
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
