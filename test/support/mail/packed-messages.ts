// Messages as Dovecot's plugins store them.

import { gzipSync } from 'node:zlib';

export function gzipped(text: Buffer | string): Buffer {
  return gzipSync(text);
}

/** "x" and a line feed. */
export const bzip2 = Buffer.from('QlpoOTFBWSZTWSs+z38AAADAgAAQAEAgACEAgrF3JFOFCQKz7Pfw', 'base64');

/** The start of one is enough: nobody reads on. */
export const lz4 = Buffer.from('Dovecot-LZ4\r\x2a\x9b\xc5\0\x04\0\0', 'latin1');
