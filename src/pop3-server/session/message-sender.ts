// Sends a message, or its top, as a multi-line response, with no more of it in memory than a chunk.

import { CountingStopped } from '../../maildrop/messages/counting-stopped.js';
import type { Maildrop, OpenMessage } from '../../maildrop/messages/maildrop.js';
import { octetsIfKnown } from '../../maildrop/messages/octets.js';
import { UnservableMessage } from '../../maildrop/messages/unservable-message.js';
import { MultilineEncoder, terminator } from '../../wire/multiline.js';
import { formatResponse } from '../../wire/response.js';
import { TopCutter } from '../../wire/top.js';
import { giveBackBuffer, takeBuffer } from './buffer-pool.js';
import { error, type ErrorOutcome, type Outcome } from '../commands/outcome.js';
import type { SessionOutput } from './session-output.js';
import type { Texts } from '../texts/texts.js';

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

/**
 * Read into and encoded from between two turns of the event loop: one buffer serves all sessions.
 */
const sharedBuffer = Buffer.allocUnsafeSlow(chunkBytes);

/**
 * Sends one message.
 *
 * @returns what was sent, or why nothing was: then the peer has no status line yet
 * @throws BrokenOff when the status line is out and the message cannot be read on; CountingStopped
 *   when nothing is out
 */
export async function sendMessage(
  { record, number, bodyLines }: MessageOutcome,
  maildrop: Maildrop,
  output: SessionOutput,
  texts: Texts,
): Promise<SentMessage | ErrorOutcome> {
  let file;
  let first;
  /** Of a large message; of others once they are encoded. */
  let announced: number | undefined;
  try {
    const opening = maildrop.open(record);
    file = opening instanceof Promise ? await opening : opening;
    if (file === null) return error('message-deleted', { number });
    // A large message's octets must be certain before its first chunk is in the shared buffer.
    if (bodyLines === null && isLarge(file)) {
      announced = await maildrop.measureForSending(record, file.fileBytes);
    }
    // Until the first octet is sent, a failure can still be reported with -ERR.
    if (file.makeReady !== undefined) await file.makeReady(chunkBytes);
    first = readChunk(file, file.fileBytes);
  } catch (failure) {
    file?.close();
    if (failure instanceof CountingStopped) throw failure;
    return error('message-unreadable', { number }, codeFor(failure as NodeJS.ErrnoException));
  }
  try {
    const encoder = new MultilineEncoder();
    let isWhole = true;
    if (bodyLines !== null) {
      output.write(formatResponse(true, texts.format('top')));
      isWhole = await sendTop(file, first, new TopCutter(bodyLines), encoder, output);
    } else {
      if (announced === undefined) {
        // A small message is encoded before it is announced, so the announcement is what was
        // counted.
        const body = [encoder.encode(first), encoder.end()];
        output.write(formatResponse(true, texts.format('message', { octets: encoder.octets })));
        for (const bytes of body) output.write(bytes);
        if (octetsIfKnown(record.octets) !== encoder.octets)
          maildrop.correctOctets(record, encoder.octets);
        output.write(terminator);
      } else {
        const octets = announced;
        output.write(formatResponse(true, texts.format('message', { octets })));
        await sendLarge(file, first, encoder, output, () => {
          if (encoder.octets === octets) return;
          maildrop.correctOctets(record, encoder.octets);
          throw new BrokenOff('the message has other octets than were announced');
        });
      }
      maildrop.noteRetrieved(record);
    }
    if (output.isFull) await output.flush();
    return { octets: encoder.octets, isWhole };
  } finally {
    file.close();
  }
}

/** @param verify called when all is encoded and the last of it not yet sent; may throw */
async function sendLarge(
  file: OpenMessage,
  first: Buffer,
  encoder: MultilineEncoder,
  output: SessionOutput,
  verify: () => void,
): Promise<void> {
  let bytesLeft = file.fileBytes - first.length;
  for (let chunk = first; ; bytesLeft -= chunk.length) {
    const buffer = takeBuffer();
    let encoded = encoder.encode(chunk, buffer);
    if (bytesLeft === 0) {
      const end = encoder.end();
      verify();
      encoded = joined(encoded, Buffer.concat([end, terminator]), buffer);
    }
    await output.writeThrough(encoded, () => giveBackBuffer(buffer));
    if (output.isDead) throw new BrokenOff('the peer is gone');
    if (bytesLeft === 0) return;
    if (file.makeReady !== undefined) await readyOn(file.makeReady(chunkBytes));
    chunk = readOn(file, bytesLeft);
  }
}

/**
 * The end must not travel alone: some clients look for it in what arrives last.
 *
 * @param buffer may have `encoded` in it, and room behind it
 */
function joined(encoded: Buffer, end: Buffer, buffer: Buffer): Buffer {
  if (encoded.buffer !== buffer.buffer) return Buffer.concat([encoded, end]);
  end.copy(buffer, encoded.length);
  return buffer.subarray(0, encoded.length + end.length);
}

/** @returns whether nothing was left out */
async function sendTop(
  file: OpenMessage,
  first: Buffer,
  cutter: TopCutter,
  encoder: MultilineEncoder,
  output: SessionOutput,
): Promise<boolean> {
  let bytesLeft = file.fileBytes - first.length;
  for (let chunk = first; ; bytesLeft -= chunk.length) {
    const { bytes, isComplete } = cutter.cut(chunk);
    output.write(encoder.encode(bytes));
    if (isComplete || bytesLeft === 0) {
      output.write(encoder.end());
      output.write(terminator);
      return !isComplete;
    }
    if (output.isFull) await output.flush();
    if (output.isDead) throw new BrokenOff('the peer is gone');
    if (file.makeReady !== undefined) await readyOn(file.makeReady(chunkBytes));
    chunk = readOn(file, bytesLeft);
  }
}

/** Too large to be encoded before it is announced. */
function isLarge({ fileBytes }: OpenMessage): boolean {
  return fileBytes >= chunkBytes;
}

/**
 * What is added to the file after it was opened is not read: the message is what it was then.
 *
 * @param bytesLeft from here to the end of the file as it was when it was opened
 * @returns a view of the shared buffer, valid until the next turn; shorter than a chunk only at the
 *   end
 * @throws the system's error; Error when the file ends before its end
 */
function readChunk(file: OpenMessage, bytesLeft: number): Buffer {
  const wanted = Math.min(bytesLeft, chunkBytes);
  let length = 0;
  while (length < wanted) {
    const count = file.read(sharedBuffer.subarray(length, wanted));
    if (count === 0) throw new Error('the file became shorter while it was read');
    length += count;
  }
  return sharedBuffer.subarray(0, length);
}

/**
 * @throws BrokenOff. Not one function with `readOn`: between waiting and encoding another session
 *   could use the buffer.
 */
async function readyOn(waiting: Promise<void>): Promise<void> {
  try {
    await waiting;
  } catch (failure) {
    throw new BrokenOff((failure as Error).message);
  }
}

function readOn(file: OpenMessage, bytesLeft: number): Buffer {
  try {
    return readChunk(file, bytesLeft);
  } catch (failure) {
    throw new BrokenOff((failure as Error).message);
  }
}

function codeFor(failure: NodeJS.ErrnoException): 'SYS/TEMP' | 'SYS/PERM' {
  if (failure instanceof UnservableMessage) return 'SYS/PERM';
  return failure.code === 'EACCES' || failure.code === 'ELOOP' ? 'SYS/PERM' : 'SYS/TEMP';
}
