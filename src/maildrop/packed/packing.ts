// How a message is stored other than as text: compressed by Dovecot's zlib plugin or encrypted by
// its mail_crypt. Dovecot too goes by the first octets and not by the file's name. No header line
// can begin with any of them.

export type Packing = 'gzip' | 'zstd' | 'bzip2' | 'xz' | 'LZ4' | 'encrypted';

const magics: readonly (readonly [Packing, Buffer])[] = [
  ['gzip', Buffer.from('1f8b', 'hex')],
  ['zstd', Buffer.from('28b52ffd', 'hex')],
  ['xz', Buffer.from('fd377a585a00', 'hex')],
  // "BZh", how hard it was compressed, and the first block's own magic.
  ...Array.from({ length: 9 }, (_, level) => {
    return ['bzip2', Buffer.from(`BZh${level + 1}1AY&SY`, 'latin1')] as const;
  }),
  ['LZ4', Buffer.from('Dovecot-LZ4\r\x2a\x9b\xc5', 'latin1')],
  ['encrypted', Buffer.from('CRYPTED\x03\x07', 'latin1')],
];

/** So many octets tell. */
export const maxMagicBytes = Math.max(...magics.map(([, magic]) => magic.length));

const firstOctets = new Set(magics.map(([, magic]) => magic[0]));

/**
 * @param start the first octets of a message's file.
 * @returns null for a message that is stored as it is
 */
export function packingOf(start: Buffer): Packing | null {
  if (!firstOctets.has(start[0])) return null;
  const found = magics.find(([, magic]) => start.subarray(0, magic.length).equals(magic));
  return found?.[0] ?? null;
}
