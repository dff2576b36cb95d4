// Messages that are stored compressed, read as the text that they are: gzip (RFC 1952), and zstd
// (RFC 8878) where Node can. No more than a chunk of the text is in memory, however well it was
// compressed.

import { readSync } from 'node:fs';
import { pipeline, Readable, type Transform } from 'node:stream';
import * as zlib from 'node:zlib';
import { CountingStopped, type ShouldStop } from '../messages/counting-stopped.js';
import type { OpenMessage } from '../messages/maildrop.js';
import { UnservableMessage } from '../messages/unservable-message.js';
import type { Packing } from './packing.js';

/** A file that the message is read from; whoever opened it closes it. */
export interface PackedFile {
  readonly fd: number;
  readonly fileBytes: number;
  close(): void;
}

interface Unpacker {
  readonly unpackSync: (bytes: Buffer, options: { maxOutputLength: number }) => Buffer;
  readonly makeStream: (options: { chunkSize: number }) => Transform;
}

/** What Node 22.15 and 23.8 have and Node 20 has not. */
const zstd = zlib as {
  readonly zstdDecompressSync?: Unpacker['unpackSync'];
  readonly createZstdDecompress?: Unpacker['makeStream'];
};

/** Text that is larger is read in pieces, and so is a file. */
const maxTextAtOnce = 256 * 1024;
const pieceBytes = 64 * 1024;

/** @throws UnservableMessage when this program cannot unpack it */
export function requireUnpackable(packing: Packing): void {
  unpackerFor(packing);
}

/**
 * Opens the text of a compressed message.
 *
 * @param options `knownBytes` is how large the text is, if it was opened before
 * @throws UnservableMessage; CountingStopped; zlib's error for a file that is damaged; the system's
 *   error
 */
export async function openPacked(
  file: PackedFile,
  packing: Packing,
  options: { readonly knownBytes: number | undefined; readonly shouldStop: ShouldStop },
): Promise<OpenMessage> {
  const unpacker = unpackerFor(packing);
  const { knownBytes, shouldStop } = options;
  const isLarge = knownBytes !== undefined && knownBytes > maxTextAtOnce;
  const text = isLarge ? null : tryUnpackAtOnce(file, unpacker);
  if (text !== null) return new TextAtHand(text, file);
  const bytes = knownBytes ?? (await countBytes(file, unpacker, shouldStop));
  return new UnpackedText(file, unpacker, bytes);
}

function unpackerFor(packing: Packing): Unpacker {
  if (packing === 'gzip') return { unpackSync: zlib.gunzipSync, makeStream: zlib.createGunzip };
  const { zstdDecompressSync, createZstdDecompress } = zstd;
  const hasZstd = zstdDecompressSync !== undefined && createZstdDecompress !== undefined;
  if (packing === 'zstd' && hasZstd) {
    return { unpackSync: zstdDecompressSync, makeStream: createZstdDecompress };
  }
  const why = packing === 'encrypted' ? 'encrypted by mail_crypt' : `compressed with ${packing}`;
  throw new UnservableMessage(`the file is ${why}, which pop3d cannot read`);
}

/** @returns null when the text is large */
function tryUnpackAtOnce(file: PackedFile, { unpackSync }: Unpacker): Buffer | null {
  if (file.fileBytes > maxTextAtOnce) return null;
  const bytes = Buffer.concat([...piecesOf(file, () => false)]);
  try {
    return unpackSync(bytes, { maxOutputLength: maxTextAtOnce });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') return null;
    throw error;
  }
}

async function countBytes(
  file: PackedFile,
  { makeStream }: Unpacker,
  shouldStop: ShouldStop,
): Promise<number> {
  let bytes = 0;
  for await (const piece of streamOf(file, makeStream, () => false)) {
    if (shouldStop()) throw new CountingStopped();
    bytes += (piece as Buffer).length;
  }
  return bytes;
}

class TextAtHand implements OpenMessage {
  readonly fileBytes: number;
  readonly #text: Buffer;
  readonly #file: PackedFile;
  #at = 0;

  constructor(text: Buffer, file: PackedFile) {
    this.fileBytes = text.length;
    this.#text = text;
    this.#file = file;
  }

  read(into: Buffer): number {
    const length = this.#text.copy(into, 0, this.#at);
    this.#at += length;
    return length;
  }

  close(): void {
    this.#file.close();
  }
}

class UnpackedText implements OpenMessage {
  readonly fileBytes: number;
  readonly #file: PackedFile;
  readonly #stream: Transform;
  readonly #pieces: AsyncIterator<Buffer>;
  #unread: Buffer = Buffer.alloc(0);
  #isClosed = false;

  constructor(file: PackedFile, { makeStream }: Unpacker, bytes: number) {
    this.fileBytes = bytes;
    this.#file = file;
    this.#stream = streamOf(file, makeStream, () => this.#isClosed);
    this.#pieces = this.#stream[Symbol.asyncIterator]();
  }

  async makeReady(bytes: number): Promise<void> {
    const pieces = [this.#unread];
    let length = this.#unread.length;
    while (length < bytes) {
      const next = await this.#pieces.next();
      if (next.done === true) break;
      pieces.push(next.value);
      length += next.value.length;
    }
    this.#unread = Buffer.concat(pieces, length);
  }

  read(into: Buffer): number {
    const length = this.#unread.copy(into);
    this.#unread = this.#unread.subarray(length);
    return length;
  }

  close(): void {
    this.#isClosed = true;
    this.#stream.destroy();
    this.#file.close();
  }
}

/** A stream of the text. What is wrong with the file ends it with an error. */
function streamOf(
  file: PackedFile,
  makeStream: Unpacker['makeStream'],
  isClosed: () => boolean,
): Transform {
  const stream = makeStream({ chunkSize: pieceBytes });
  // The error is the stream's too.
  pipeline(Readable.from(piecesOf(file, isClosed)), stream, () => undefined);
  return stream;
}

function* piecesOf({ fd }: PackedFile, isClosed: () => boolean): Generator<Buffer> {
  for (let at = 0; !isClosed();) {
    const piece = Buffer.allocUnsafe(pieceBytes);
    const length = readSync(fd, piece, 0, piece.length, at);
    if (length === 0) return;
    at += length;
    yield piece.subarray(0, length);
  }
}
