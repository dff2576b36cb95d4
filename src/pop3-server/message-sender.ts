// Sends a message, or its top, as a multi-line response, with no more of it in memory than a chunk.

import type { Maildrop, OpenMessage } from '../maildrop/maildrop.js';
import { MultilineEncoder, terminator } from '../wire/multiline.js';
import { formatResponse } from '../wire/response.js';
import { TopCutter } from '../wire/top.js';
import { giveBackBuffer, takeBuffer } from './buffer-pool.js';
import { error, type ErrorOutcome, type Outcome } from './outcome.js';
import type { SessionOutput } from './session-output.js';
import type { Texts } from './texts.js';

type MessageOutcome = Extract<Outcome, { kind: 'message' }>;

export interface SentMessage {
  /** Octets as LIST counts them. */
  readonly octets: number;
  /** False when TOP left something out. */
  readonly isWhole: boolean;
}

/** The message could not be read to its end: the response must stay without its terminator. */
export class BrokenOff extends Error {}

const chunkBytes = 256 * 1024;

/** Read into and encoded from between two turns of the event loop: one buffer serves all sessions. */
const sharedBuffer = Buffer.allocUnsafeSlow(chunkBytes);

/**
 * Sends one message.
 *
 * @returns what was sent, or why nothing was: then the peer has no status line yet
 * @throws BrokenOff when the status line is out and the message cannot be read on
 */
export async function sendMessage(
  { record, number, bodyLines }: MessageOutcome,
  maildrop: Maildrop,
  output: SessionOutput,
  texts: Texts,
): Promise<SentMessage | ErrorOutcome> {
  let file;
  let first;
  try {
    const opening = maildrop.open(record);
    file = opening instanceof Promise ? await opening : opening;
    if (file === null) return error('message-deleted', { number });
    // A large message's octets must be known before its first chunk is in the shared buffer.
    if (bodyLines === null && file.fileBytes >= chunkBytes) await maildrop.measure(record);
    // What fails before the first octet can still be told.
    first = readChunk(file, file.fileBytes);
  } catch (failure) {
    file?.close();
    return error('message-unreadable', { number }, codeFor(failure as NodeJS.ErrnoException));
  }
  try {
    const encoder = new MultilineEncoder();
    let isWhole = true;
    if (bodyLines !== null) {
      output.write(formatResponse(true, texts.format('top')));
      isWhole = await sendTop(file, first, new TopCutter(bodyLines), encoder, output);
    } else {
      if (first.length < chunkBytes) {
        // A small message is encoded before it is announced, so the announcement is what was counted.
        const body = [encoder.encode(first), encoder.end()];
        output.write(formatResponse(true, texts.format('message', { octets: encoder.octets })));
        for (const bytes of body) output.write(bytes);
      } else {
        const octets = record.octets ?? file.fileBytes;
        output.write(formatResponse(true, texts.format('message', { octets })));
        await sendRest(file, first, encoder, output);
      }
      if (record.octets !== encoder.octets) maildrop.correctOctets(record, encoder.octets);
      maildrop.noteRetrieved(record);
    }
    output.write(terminator);
    if (output.isFull) await output.flush();
    return { octets: encoder.octets, isWhole };
  } finally {
    file.close();
  }
}

async function sendRest(
  file: OpenMessage,
  first: Buffer,
  encoder: MultilineEncoder,
  output: SessionOutput,
): Promise<void> {
  let bytesLeft = file.fileBytes;
  for (let chunk = first; chunk.length > 0; chunk = readOn(file)) {
    bytesLeft -= chunk.length;
    const buffer = takeBuffer();
    const encoded = encoder.encode(chunk, buffer);
    await output.writeThrough(encoded, () => giveBackBuffer(buffer));
    if (output.isDead) throw new BrokenOff('the peer is gone');
  }
  if (bytesLeft > 0) throw new BrokenOff('the file became shorter while it was sent');
  output.write(encoder.end());
}

/** @returns whether nothing was left out */
async function sendTop(
  file: OpenMessage,
  first: Buffer,
  cutter: TopCutter,
  encoder: MultilineEncoder,
  output: SessionOutput,
): Promise<boolean> {
  let isCut = false;
  for (let chunk = first; chunk.length > 0; chunk = readOn(file)) {
    const { bytes, isComplete } = cutter.cut(chunk);
    output.write(encoder.encode(bytes));
    isCut = isComplete;
    if (isComplete) break;
    if (output.isFull) await output.flush();
    if (output.isDead) throw new BrokenOff('the peer is gone');
  }
  output.write(encoder.end());
  return !isCut;
}

/**
 * @param expected the bytes that are left as far as is known: no read is made only to see that there are no more
 * @returns a view of the shared buffer, valid until the next turn; shorter than a chunk only at the end of the file
 */
function readChunk(file: OpenMessage, expected: number): Buffer {
  let length = 0;
  while (length < chunkBytes && (length === 0 || length !== expected)) {
    const count = file.read(sharedBuffer.subarray(length));
    if (count === 0) break;
    length += count;
  }
  return sharedBuffer.subarray(0, length);
}

function readOn(file: OpenMessage): Buffer {
  try {
    return readChunk(file, chunkBytes);
  } catch (failure) {
    throw new BrokenOff((failure as Error).message);
  }
}

function codeFor(failure: NodeJS.ErrnoException): 'SYS/TEMP' | 'SYS/PERM' {
  return failure.code === 'EACCES' || failure.code === 'ELOOP' ? 'SYS/PERM' : 'SYS/TEMP';
}
