// TLS with verification: against the system's or a given CA and the names that count, or one certificate's fingerprint.
// RFC 8314, RFC 6125 §6, RFC 6186 §6.

import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { checkServerIdentity, connect, rootCertificates, type PeerCertificate } from 'node:tls';
import { describeTlsFailure } from '../../system/tls/tls-failure.js';
import { ConnectionLost, InsecureServer } from '../settings/failures.js';
import type { TlsTrust } from '../settings/settings.js';
import { withDeadline } from './deadline.js';

/**
 * Starts TLS 1.2 or later on a connection.
 *
 * @param names the certificate must be for one of them; the first is also sent as the server name
 * @returns the protected stream
 * @throws InsecureServer for a certificate that is not trusted; ConnectionLost when the handshake fails or takes too
 *   long; the reason of `signal`
 */
export async function startTls(
  plain: Duplex,
  names: readonly [string, ...(readonly string[])],
  trust: TlsTrust,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<Duplex> {
  const late = new ConnectionLost('no TLS handshake in time');
  return withDeadline(signal, timeoutMs, late, (either) => handshake(plain, names, trust, either));
}

async function handshake(
  plain: Duplex,
  names: readonly [string, ...(readonly string[])],
  trust: TlsTrust,
  signal: AbortSignal,
): Promise<Duplex> {
  signal.throwIfAborted();
  const [serverName] = names;
  const stream = connect({
    socket: plain,
    minVersion: 'TLSv1.2',
    ...(trust.ca === null ? {} : { ca: [...rootCertificates, trust.ca] }),
    ...(isIP(serverName) === 0 ? { servername: serverName.replace(/\.$/, '') } : {}),
    rejectUnauthorized: trust.fingerprint === null,
    checkServerIdentity: (_host, certificate) => identityError(names, certificate),
  });
  return new Promise<Duplex>((resolve, reject) => {
    const fail = (error: Error): void => {
      signal.removeEventListener('abort', onAbort);
      stream.destroy();
      plain.destroy();
      reject(error);
    };
    const onAbort = (): void => fail(signal.reason as Error);
    signal.addEventListener('abort', onAbort);
    // What happens after the handshake is the reader's; an error in between must not be nobody's.
    stream.on('error', (error: NodeJS.ErrnoException) => fail(describeFailure(error, names)));
    stream.once('close', () => fail(new ConnectionLost('the server ended the TLS handshake')));
    stream.once('secureConnect', () => {
      signal.removeEventListener('abort', onAbort);
      const { fingerprint } = trust;
      if (fingerprint !== null) {
        const seen = createHash('sha256').update(stream.getPeerCertificate().raw).digest('hex');
        if (seen !== fingerprint) {
          fail(new InsecureServer(`the certificate of ${serverName} has the fingerprint ${seen}`));
          return;
        }
      }
      resolve(stream);
    });
  });
}

function identityError(names: readonly string[], certificate: PeerCertificate): Error | undefined {
  const errors = names.map((name) => checkServerIdentity(name.replace(/\.$/, ''), certificate));
  return errors.includes(undefined) ? undefined : errors[0];
}

function describeFailure(error: NodeJS.ErrnoException, names: readonly string[]): Error {
  const isCertificate =
    error.code === 'ERR_TLS_CERT_ALTNAME_INVALID' ||
    /^(CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|INVALID_CA|HOSTNAME_MISMATCH)/.test(
      error.code ?? '',
    );
  if (!isCertificate) return new ConnectionLost(`TLS failed: ${describeTlsFailure(error)}`);
  return new InsecureServer(
    `the certificate of ${names.join(' or ')} is not trusted: ${error.message} ` +
      `(see --tls-ca and --tls-fingerprint)`,
  );
}
