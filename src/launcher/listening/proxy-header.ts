// The header that a proxy sends before a client's octets: the PROXY protocol of HAProxy, versions 1
// and 2 (haproxy.org, doc/proxy-protocol.txt, §2). Pure. It says how many octets may be read next,
// so that none behind the header ever is.

import { addressFromBytes } from '../rules/address.js';
import { tryEndpoint, type Endpoint } from '../rules/endpoint.js';
import { tlsIn, type ProxiedTls } from './proxy-tls.js';

export type ProxyHeader =
  /** A client's connection. */
  | {
      readonly kind: 'client';
      readonly source: Endpoint;
      readonly destination: Endpoint;
      /** Null when the client spoke none to the proxy, or the proxy does not say. */
      readonly tls: ProxiedTls | null;
    }
  /** The proxy's own, such as a health check; or a client's whose address it does not know. */
  | { readonly kind: 'own' };

/** What was sent is no header. */
export class ProxyHeaderError extends Error {}

const signature = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
const keyword = Buffer.from('PROXY ');

/** Both versions have at least so many: `PROXY UNKNOWN`, and the signature and one octet. */
const fewestOctets = 13;

/** Version 1: §2.1, the longest line, CRLF included. */
const maxLineOctets = 107;

/** Version 2: signature, version and command, family, length. */
const fixedOctets = 16;
/** Far more than addresses and what proxies say of TLS take. */
const maxOctets = 4096;

const cr = 0x0d;
const lf = 0x0a;

export class ProxyHeaderReader {
  #octets = Buffer.alloc(0);

  /** How many octets may be read next, at most: a whole header has that many more. 1 or more. */
  get wanted(): number {
    const { length } = this.#octets;
    if (length < fewestOctets) return fewestOctets - length;
    if (this.#octets[0] === cr) {
      return (length < fixedOctets ? fixedOctets : wholeLength(this.#octets)) - length;
    }
    return fewestOctetsLeft(this.#octets.toString('latin1'));
  }

  /**
   * Takes what was read, no more than `wanted`.
   *
   * @returns null while something is missing
   * @throws ProxyHeaderError as soon as no header can come of it
   */
  add(octets: Buffer): ProxyHeader | null {
    this.#octets = Buffer.concat([this.#octets, octets]);
    const start = this.#octets.subarray(0, signature.length);
    if (start.equals(signature.subarray(0, start.length))) return tryBinary(this.#octets);
    if (!isStartOf(start, keyword)) throw new ProxyHeaderError('it does not begin with one');
    return tryLine(this.#octets);
  }
}

function isStartOf(start: Buffer, whole: Buffer): boolean {
  const length = Math.min(start.length, whole.length);
  return start.subarray(0, length).equals(whole.subarray(0, length));
}

/**
 * The fewest characters of the fields of version 1: PROXY, family, both addresses, both ports.
 */
const fieldLengths = { TCP4: [5, 4, 7, 7, 1, 1], TCP6: [5, 4, 2, 2, 1, 1] } as const;

/** @param line at least `PROXY UNKNOWN` long, without its LF */
function fewestOctetsLeft(line: string): number {
  if (line.endsWith('\r')) return 1;
  const fields = line.split(' ');
  const lengths = fields[1] === 'TCP4' || fields[1] === 'TCP6' ? fieldLengths[fields[1]] : null;
  if (lengths === null) return 2;
  const last = fields.length - 1;
  const restOfField = Math.max(0, (lengths[last] ?? 0) - (fields[last]?.length ?? 0));
  const laterFields = lengths.slice(fields.length).reduce((sum, length) => sum + 1 + length, 0);
  return restOfField + laterFields + 2;
}

function tryLine(octets: Buffer): ProxyHeader | null {
  const end = octets.indexOf(cr);
  if (end === -1 || end === octets.length - 1) {
    // Whatever else it is, it must have room for what is missing.
    if (octets.length >= (end === -1 ? maxLineOctets - 1 : maxLineOctets)) {
      throw new ProxyHeaderError('its line is too long');
    }
    if (octets.includes(lf)) throw new ProxyHeaderError('its line does not end in CRLF');
    return null;
  }
  if (octets[end + 1] !== lf) throw new ProxyHeaderError('its line does not end in CRLF');
  const line = octets.toString('latin1', 0, end);
  if (/^PROXY UNKNOWN(?: |$)/.test(line)) return { kind: 'own' };
  const [, family, ...fields] = line.split(' ');
  const [from = '', to = '', fromPort = '', toPort = ''] = fields;
  const source = tryEndpoint(from, fromPort);
  const destination = tryEndpoint(to, toPort);
  const isIpv6 = family === 'TCP6';
  const isRightFamily = [from, to].every((text) => text.includes(':') === isIpv6);
  if (
    (family !== 'TCP4' && !isIpv6) ||
    fields.length !== 4 ||
    source === null ||
    destination === null ||
    !isRightFamily
  ) {
    throw new ProxyHeaderError('its line does not name two addresses and two ports');
  }
  return { kind: 'client', source, destination, tls: null };
}

function wholeLength(octets: Buffer): number {
  return fixedOctets + octets.readUInt16BE(14);
}

/** Version 2: §2.2. */
function tryBinary(octets: Buffer): ProxyHeader | null {
  const versionAndCommand = octets[12];
  if (versionAndCommand !== undefined && versionAndCommand !== 0x20 && versionAndCommand !== 0x21) {
    throw new ProxyHeaderError('its version or command is unknown');
  }
  if (octets.length < fixedOctets) return null;
  const whole = wholeLength(octets);
  if (whole > maxOctets) throw new ProxyHeaderError(`it is longer than ${maxOctets} octets`);
  if (octets.length < whole) return null;
  // LOCAL: what it says of addresses means nothing.
  if (versionAndCommand === 0x20) return { kind: 'own' };
  return fromFamily(octets[13] ?? 0, octets.subarray(fixedOctets));
}

function fromFamily(family: number, body: Buffer): ProxyHeader {
  switch (family) {
    // Unspecified, and Unix sockets: there is no address that rules could know.
    case 0x00:
    case 0x31:
      return { kind: 'own' };
    case 0x11:
      return fromAddresses(body, 4);
    case 0x21:
      return fromAddresses(body, 16);
    default:
      throw new ProxyHeaderError('its family or protocol is not TCP');
  }
}

function fromAddresses(body: Buffer, octetsOfAddress: number): ProxyHeader {
  const portsAt = 2 * octetsOfAddress;
  if (body.length < portsAt + 4) throw new ProxyHeaderError('it is too short for its addresses');
  const endpoint = (index: number): Endpoint => ({
    address: addressOf(body.subarray(index * octetsOfAddress, (index + 1) * octetsOfAddress)),
    port: body.readUInt16BE(portsAt + 2 * index),
  });
  const tls = tlsIn(body.subarray(portsAt + 4));
  if (tls === 'malformed') throw new ProxyHeaderError('what follows its addresses is malformed');
  return { kind: 'client', source: endpoint(0), destination: endpoint(1), tls };
}

const mappedPrefix = Buffer.from('00000000000000000000ffff', 'hex');

function addressOf(bytes: Buffer): Endpoint['address'] {
  const isMapped = bytes.length === 16 && isStartOf(bytes, mappedPrefix);
  return addressFromBytes([...(isMapped ? bytes.subarray(12) : bytes)]);
}
