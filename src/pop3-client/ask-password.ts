// A password from whoever is at the terminal, without echo; from a pipe, its first line.

import { ReadStream } from 'node:tty';
import { TemporaryError } from '../system/program.js';

const maxOctets = 4096;

/** @throws TemporaryError when it is abandoned with Ctrl-C or Ctrl-D */
export async function askPassword(): Promise<string> {
  const input = process.stdin;
  const isTerminal = input instanceof ReadStream;
  if (isTerminal) {
    process.stderr.write('Password: ');
    input.setRawMode(true);
  }
  try {
    return await readLine(input, isTerminal);
  } finally {
    if (isTerminal) {
      input.setRawMode(false);
      process.stderr.write('\n');
    }
    input.destroy();
  }
}

async function readLine(input: NodeJS.ReadStream, isTerminal: boolean): Promise<string> {
  let bytes: Buffer = Buffer.alloc(0);
  for await (const chunk of input as AsyncIterable<Buffer>) {
    for (const byte of chunk) {
      if (byte === 0x0a || byte === 0x0d) return bytes.toString();
      if (isTerminal && (byte === 0x03 || byte === 0x04)) {
        throw new TemporaryError('no password was given');
      }
      // Backspace takes a character, which in UTF-8 may be several bytes.
      if (isTerminal && (byte === 0x7f || byte === 0x08)) {
        bytes = Buffer.from([...bytes.toString()].slice(0, -1).join(''));
      } else bytes = Buffer.concat([bytes, Buffer.of(byte)]);
    }
    if (bytes.length > maxOctets) throw new TemporaryError('the password has no end');
  }
  return bytes.toString();
}
