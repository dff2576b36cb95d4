// TLS with verification: by the CAs and the names that count, or by one certificate's fingerprint.
// RFC 8314, RFC 6125 §6, RFC 6186 §6.

import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { checkServerIdentity, connect, rootCertificates, type PeerCertificate } from 'node:tls';
import { describeTlsFailure } from '../../system/tls/tls-failure.js';
import { ConnectionClosed, ConnectionLost, InsecureServer } from '../settings/failures.js';
import type { TlsTrust } from '../settings/settings.js';
import { withDeadline } from './deadline.js';
import type { Target } from './locate.js';

/**
 * Starts TLS 1.2 or later on a connection.
 *
 * @param target the certificate must be for one of its names; the first is also sent as the server
 *   name
 * @returns the protected stream
 * @throws InsecureServer for a certificate that is not trusted; ConnectionLost when the handshake
 *   fails or takes too long; the reason of `signal`
 */
export async function startTls(
  plain: Duplex,
  target: Pick<Target, 'host' | 'names'>,
  trust: TlsTrust,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<Duplex> {
  const late = new ConnectionLost('no TLS handshake in time');
  return withDeadline(signal, timeoutMs, late, (either) => handshake(plain, target, trust, either));
}

async function handshake(
  plain: Duplex,
  { host, names }: Pick<Target, 'host' | 'names'>,
  trust: TlsTrust,
  signal: AbortSignal,
): Promise<Duplex> {
  signal.throwIfAborted();
  if (plain.destroyed) throw new ConnectionClosed('the server closed the connection');
  const [serverName] = names;
  const stream = connect({
    socket: plain,
    minVersion: 'TLSv1.2',
    ...caOption(trust),
    ...(trust.own ?? {}),
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
    stream.on('error', (error: NodeJS.ErrnoException) => {
      // Set by Node before it gives up a connection whose certificate it does not trust, whatever
      // the reason is.
      const isDistrust = Boolean(stream.authorizationError as unknown);
      fail(isDistrust ? distrust(error, host, names) : describeFailure(error));
    });
    stream.once('close', () => fail(new ConnectionClosed('the server ended the TLS handshake')));
    stream.once('secureConnect', () => {
      signal.removeEventListener('abort', onAbort);
      const { fingerprint } = trust;
      if (fingerprint !== null) {
        const seen = createHash('sha256').update(stream.getPeerCertificate().raw).digest('hex');
        if (seen !== fingerprint) {
          fail(
            new InsecureServer(
              `the certificate of ${serverName} is not that of --tls-fingerprint: it has ${seen}`,
            ),
          );
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

function distrust(
  error: NodeJS.ErrnoException,
  host: string,
  names: readonly string[],
): InsecureServer {
  if (error.code === 'ERR_TLS_CERT_ALTNAME_INVALID' && !names.includes(host)) {
    return new InsecureServer(
      `the certificate is not for ${names.join(' or ')}: ${error.message} (that ${host} is its server ` +
        `only DNS says, which may be forged: if you know it is, give ${host} in place of the domain)`,
    );
  }
  return new InsecureServer(
    `the certificate of ${names.join(' or ')} is not trusted: ${error.message} ` +
      `(see --tls-ca and --tls-fingerprint)`,
  );
}

/**
 * What two programs cannot agree on today they cannot agree on tomorrow. RFC 8446 §6 names these
 * alerts.
 */
const lastingFailure =
  /UNSUPPORTED_PROTOCOL|PROTOCOL_VERSION|HANDSHAKE_FAILURE|INSUFFICIENT_SECURITY|NO_(SHARED_)?CIPHERS?|NO_PROTOCOLS|UNRECOGNIZED_NAME|TOO_(SMALL|WEAK|SHORT)|WRONG_SIGNATURE_TYPE|NO_SUITABLE|CERTIFICATE_REQUIRED|PARAM_SIZE/;

function describeFailure(error: NodeJS.ErrnoException): Error {
  const code = error.code ?? '';
  if (code === 'ECONNRESET') return new ConnectionClosed('the server ended the TLS handshake');
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER') {
    return new ConnectionLost(
      `TLS failed: ${describeTlsFailure(error)}: what came is no TLS (--tls stls asks for it first)`,
    );
  }
  const message = `TLS failed: ${describeTlsFailure(error)}`;
  return lastingFailure.test(code)
    ? new InsecureServer(`${message}: pop3get wants TLS 1.2 or later with today's ciphers and keys`)
    : new ConnectionLost(message);
}

/** @returns nothing where Node's own list of CAs counts alone */
function caOption({ ca, roots }: TlsTrust): { readonly ca?: string[] } {
  if (ca === null && roots === null) return {};
  return { ca: [...(roots === null ? rootCertificates : [roots]), ...(ca === null ? [] : [ca])] };
}
