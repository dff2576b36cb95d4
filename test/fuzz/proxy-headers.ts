// PROXY headers, right ones and damaged ones, with a session behind them, through the reader: as much at a time as it allows,
// and octet by octet. Each time its verdict must be the model's, and what follows the header untouched.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ProxyHeaderError, ProxyHeaderReader } from '../../src/launcher/listening/proxy-header.js';
import { modelOfHeader, type ModelVerdict } from './proxy-model.js';

const port = fc.oneof(fc.nat(65_535), fc.constantFrom(0, 110, 65_535));
const ipv4 = fc.ipV4();
const ipv6 = fc.oneof(fc.ipV6(), fc.constantFrom('::', '::1', '::ffff:192.0.2.1', '2001:db8::'));

const lines = fc.oneof(
  fc.tuple(ipv4, ipv4, port, port).map((fields) => `PROXY TCP4 ${fields.join(' ')}\r\n`),
  fc.tuple(ipv6, ipv6, port, port).map((fields) => `PROXY TCP6 ${fields.join(' ')}\r\n`),
  fc.string({ maxLength: 100 }).map((text) => `PROXY UNKNOWN ${text}\r\n`),
  fc.constantFrom(
    'PROXY UNKNOWN\r\n',
    'PROXY UNKNOWN\r',
    'PROXY UNKNOWNX\r\n',
    'PROXY TCP4 1.2.3.4 5.6.7.8 1 65536\r\n',
    'PROXY TCP4 1.2.3.4 5.6.7.8 01 2\r\n',
    'PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n',
    'PROXY TCP4 ::1 ::1 1 2\r\n',
    `PROXY TCP6 ${'ffff:'.repeat(7)}ffff ${'ffff:'.repeat(7)}ffff 65535 65535\r\n`,
    `PROXY ${'x'.repeat(200)}\r\n`,
  ),
);

function vector(type: fc.Arbitrary<number>, value: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> {
  return fc
    .tuple(type, value)
    .map(([type, value]) =>
      Buffer.concat([Buffer.from([type, value.length >> 8, value.length & 0xff]), value]),
    );
}

const octets = (maxLength: number): fc.Arbitrary<Buffer> =>
  fc.uint8Array({ maxLength }).map((bytes) => Buffer.from(bytes));
const joined = (vectors: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> =>
  fc.array(vectors, { maxLength: 4 }).map((all) => Buffer.concat(all));
const words = fc
  .constantFrom('TLSv1.3', 'TLS_AES_128_GCM_SHA256', 'mail.example.org', 'a b', '')
  .map((text) => Buffer.from(text));
const fixedSsl = fc.oneof(
  fc.constantFrom(0, 1, 7).map((flags) => Buffer.from([flags, 0, 0, 0, 0])),
  octets(5),
);
const ssl = fc
  .tuple(fixedSsl, joined(vector(fc.constantFrom(0x21, 0x22, 0x23), words)))
  .map(([fixed, inner]) => Buffer.concat([fixed, inner]));
const vectors = joined(
  fc.oneof(
    vector(fc.nat(255), octets(40)),
    vector(fc.constant(0x20), ssl),
    vector(fc.constant(0x02), words),
  ),
);

const binaries = fc
  .tuple(
    fc.constantFrom(0x20, 0x21, 0x21, 0x21, 0x11, 0x22),
    fc.constantFrom(0x11, 0x11, 0x21, 0x21, 0x00, 0x31, 0x12, 0x22),
    fc.uint8Array({ minLength: 36, maxLength: 36 }),
    vectors,
    fc.constantFrom(0, 0, 0, 0, 1, -1, 5000),
  )
  .map(([command, family, addresses, more, lie]) => {
    const fixed = Buffer.from('0d0a0d0a000d0a515549540a00000000', 'hex');
    const body = Buffer.concat([addresses.subarray(0, family === 0x11 ? 12 : 36), more]);
    fixed[12] = command;
    fixed[13] = family;
    fixed.writeUInt16BE(Math.max(0, body.length + lie), 14);
    return Buffer.concat([fixed, body]);
  });

/** A header, perhaps with some octets of it changed, removed or added, and what follows it. */
export const streams: fc.Arbitrary<Buffer> = fc
  .tuple(
    fc.oneof(
      lines.map((line) => Buffer.from(line, 'latin1')),
      binaries,
      octets(60),
    ),
    fc.option(fc.record({ at: fc.nat(300), remove: fc.nat(3), insert: octets(3) }), { freq: 3 }),
    fc.constantFrom(
      'USER ann\r\nPASS x\r\nQUIT\r\n',
      '',
      '\r\n',
      'PROXY TCP4 1.1.1.1 1.1.1.1 1 1\r\n',
    ),
  )
  .map(([header, damage, rest]) => {
    if (damage === null) return Buffer.concat([header, Buffer.from(rest)]);
    const at = damage.at % (header.length + 1);
    return Buffer.concat([
      header.subarray(0, at),
      damage.insert,
      header.subarray(at + damage.remove),
      Buffer.from(rest),
    ]);
  });

function read(stream: Buffer, most: number): ModelVerdict {
  const reader = new ProxyHeaderReader();
  let at = 0;
  try {
    for (;;) {
      assert.ok(reader.wanted > 0, 'it wants something until it has a header');
      const piece = stream.subarray(at, at + Math.min(most, reader.wanted));
      if (piece.length === 0) return { verdict: 'more' };
      at += piece.length;
      const header = reader.add(piece);
      if (header?.kind === 'own') return { verdict: 'own', octets: at };
      if (header?.kind !== 'client') continue;
      const [from, to] = [header.source, header.destination].map(
        ({ address, port }) => `${Buffer.from(address.bytes).toString('hex')} ${port}`,
      );
      const { tls } = header;
      const words = tls === null ? '' : [tls.version, tls.cipher, tls.serverName].join(' ');
      return { verdict: 'client', octets: at, from: from ?? '', to: to ?? '', tls: words };
    }
  } catch (error) {
    if (error instanceof ProxyHeaderError) return { verdict: 'malformed' };
    throw error;
  }
}

export function proxyProperty(): fc.IProperty<[Buffer]> {
  return fc.property(streams, (stream) => {
    const expected = modelOfHeader(stream);
    assert.deepEqual(read(stream, Infinity), expected, 'as much as it allows');
    assert.deepEqual(read(stream, 1), expected, 'octet by octet');
  });
}
