// Channel binding data of a TLS connection, for SCRAM-SHA-256-PLUS: tls-exporter (RFC 9266) and
// tls-server-end-point (RFC 5929 §4). Server and client compute the same from their ends.

import { createHash } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { ChannelBindings } from './sasl-mechanism.js';

/** Of the server's end: the certificate is its own. */
export function serverChannelBindings(socket: TLSSocket): ChannelBindings {
  return bindings(socket, rawCertificate(socket.getCertificate()));
}

/** Of the client's end: the certificate is the peer's, verified or not. */
export function clientChannelBindings(socket: TLSSocket): ChannelBindings {
  return bindings(socket, rawCertificate(socket.getPeerCertificate()));
}

/**
 * Both calls give an object without a member when there is no certificate, whatever their types
 * say.
 */
function rawCertificate(certificate: object | null): Buffer | undefined {
  const raw = (certificate as { readonly raw?: unknown } | null)?.raw;
  return Buffer.isBuffer(raw) ? raw : undefined;
}

function bindings(socket: TLSSocket, certificate: Buffer | undefined): ChannelBindings {
  return {
    // RFC 9266 §4.2: below TLS 1.3 this needs the extended master secret, and Node does not say
    // whether it is used.
    'tls-exporter':
      socket.getProtocol() === 'TLSv1.3'
        ? socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0))
        : undefined,
    'tls-server-end-point': certificate === undefined ? undefined : serverEndPoint(certificate),
  };
}

/**
 * RFC 5929 §4.1: the certificate hashed by its signature's hash, or by SHA-256 where that is MD5 or
 * SHA-1.
 *
 * @param certificate DER
 * @returns undefined where the standard defines none: signatures without one hash, such as
 *   Ed25519's
 */
export function serverEndPoint(certificate: Buffer): Buffer | undefined {
  const algorithm = signatureHash(certificate);
  return algorithm === undefined ? undefined : createHash(algorithm).update(certificate).digest();
}

/** Hashes by the signature algorithm's object identifier, its DER contents in hexadecimal. */
const hashes: Readonly<Record<string, string>> = {
  '2a864886f70d010104': 'sha256', // md5WithRSAEncryption
  '2a864886f70d010105': 'sha256', // sha1WithRSAEncryption
  '2a864886f70d01010b': 'sha256',
  '2a864886f70d01010c': 'sha384',
  '2a864886f70d01010d': 'sha512',
  '2a864886f70d01010e': 'sha224',
  '2a8648ce3d0401': 'sha256', // ecdsa-with-SHA1
  '2a8648ce3d040301': 'sha224',
  '2a8648ce3d040302': 'sha256',
  '2a8648ce3d040303': 'sha384',
  '2a8648ce3d040304': 'sha512',
};
const rsassaPss = '2a864886f70d01010a';
/** id-sha256, id-sha384, id-sha512, as they stand in the parameters of RSASSA-PSS. */
const pssHashes: Readonly<Record<string, string>> = {
  '0609608648016503040201': 'sha256',
  '0609608648016503040202': 'sha384',
  '0609608648016503040203': 'sha512',
};

/**
 * Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm SEQUENCE { OBJECT IDENTIFIER,
 * parameters }, … }
 */
function signatureHash(certificate: Buffer): string | undefined {
  const outer = element(certificate, 0);
  const signed = outer === undefined ? undefined : element(certificate, outer.start);
  const algorithm = signed === undefined ? undefined : element(certificate, signed.end);
  const identifier = algorithm === undefined ? undefined : element(certificate, algorithm.start);
  if (algorithm === undefined || identifier === undefined) return undefined;
  const name = certificate.toString('hex', identifier.start, identifier.end);
  if (name !== rsassaPss) return hashes[name];
  // The first hash named is the signature's; a second one is the mask function's. None named:
  // SHA-1.
  const parameters = certificate.toString('hex', identifier.end, algorithm.end);
  const found = Object.keys(pssHashes)
    .map((key) => ({ key, at: parameters.indexOf(key) }))
    .filter(({ at }) => at !== -1)
    .sort((one, other) => one.at - other.at)[0];
  return found === undefined ? 'sha256' : pssHashes[found.key];
}

/**
 * Where the contents of the DER element at `offset` start and end; undefined when it does not fit.
 */
function element(der: Buffer, offset: number): { start: number; end: number } | undefined {
  const first = der[offset + 1];
  if (first === undefined) return undefined;
  const lengthOctets = first < 0x80 ? 0 : first & 0x7f;
  const start = offset + 2 + lengthOctets;
  if (lengthOctets > 4 || start > der.length) return undefined;
  const length = lengthOctets === 0 ? first : der.readUIntBE(offset + 2, lengthOctets);
  return start + length > der.length ? undefined : { start, end: start + length };
}
