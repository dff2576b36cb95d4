// What pop3get reads, against the model: the same results or the same kind of end, however the octets are cut into pieces.

import assert from 'node:assert/strict';
import { PassThrough, Readable, type Duplex } from 'node:stream';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { Pop3Client } from '../../src/pop3-client/talk/client.js';
import { ConnectionClosed } from '../../src/pop3-client/settings/failures.js';
import { readListing } from '../../src/pop3-client/talk/listing.js';
import { splitInto } from '../support/sessions/chunkings.js';
import { drawnStream, type Reading } from './drawn-replies.js';
import { ModelError, ReplyModel, type Status } from './reply-model.js';

const maxLineOctets = 71;
const maxOctets = 1200;
const limits = { maxLineOctets, maxOctets };
/** Streams end, so that nothing is ever waited for. */
const timeoutMs = 20_000;
const never = new AbortController().signal;

/** Results in the order of the readings; the last may be the name of the error that ended them. */
type Results = readonly unknown[];

export function repliesProperty(): fc.IAsyncProperty<[Parameters<typeof readAll>[0]]> {
  return fc.asyncProperty(drawnStream, async (drawn) => {
    const expected = expectAll(drawn.readings, drawn.text);
    const bytes = Buffer.from(drawn.text, 'latin1');
    // Octet by octet takes its time with what is long.
    const small = bytes.length < 4096 ? [1] : [1, 1021, 2, 64, 1, 1, 4096];
    for (const pieces of [[bytes.length || 1], small, drawn.pieces]) {
      const results = await readAll({ ...drawn, pieces });
      assert.deepEqual(results, expected, `in pieces of ${pieces.join()}`);
    }
  });
}

function expectAll(readings: readonly Reading[], text: string): Results {
  const model = new ReplyModel(text);
  const results: unknown[] = [];
  try {
    for (const kind of readings) results.push(expectOne(model, kind));
    results.push({ surplus: model.rest !== '' });
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    results.push(error.failure);
  }
  return results;
}

function expectOne(model: ReplyModel, kind: Reading): unknown {
  if (kind === 'lines') return model.lines(maxLineOctets, maxOctets);
  if (kind === 'message') return model.message(maxOctets);
  return model[kind]();
}

async function readAll(drawn: {
  readonly readings: readonly Reading[];
  readonly text: string;
  readonly pieces: readonly number[];
}): Promise<Results> {
  const stream = new PassThrough({ highWaterMark: 1 << 20 });
  const client = new Pop3Client(stream, timeoutMs, never);
  for (const piece of splitInto(Buffer.from(drawn.text, 'latin1'), drawn.pieces))
    stream.write(piece);
  stream.end();
  const results: unknown[] = [];
  try {
    for (const kind of drawn.readings) results.push(await readOne(client, kind));
    // What is still in the stream has arrived as well.
    await new Promise(setImmediate);
    results.push({ surplus: client.replies.takeSurplus() });
  } catch (error) {
    results.push(nameOf(error));
  }
  client.destroy();
  return results;
}

/** @throws AssertionError for an end that is none of the documented ones */
function nameOf(error: unknown): string {
  assert.ok(error instanceof Error);
  assert.doesNotMatch(error.message, /silent/, 'a reading waited for what cannot come');
  return error instanceof ConnectionClosed ? 'ConnectionLost' : error.constructor.name;
}

async function readOne(client: Pop3Client, kind: Reading): Promise<unknown> {
  const { replies } = client;
  switch (kind) {
    case 'status':
      return replies.readResponse();
    case 'sasl': {
      const reply = await replies.readSaslReply();
      return reply.kind === 'challenge' ? reply.base64 : reply.response;
    }
    case 'line':
      return (await replies.readLine()).toString('latin1');
    case 'lines': {
      const lines: Buffer[] = [];
      await replies.readLines(limits, (line) => lines.push(line));
      return lines.map((line) => line.toString('latin1'));
    }
    case 'message': {
      const pieces: Buffer[] = [];
      const octets = await replies.readMessage(maxOctets, (piece) => pieces.push(piece));
      // Looked at last: a piece must not change once it was handed over.
      const content = Buffer.concat(pieces);
      assert.equal(octets, content.length);
      return content.toString('latin1');
    }
    case 'capabilities':
      return [...(await client.readCapabilityReply())].map(([name, words]) => [name, [...words]]);
    case 'listing': {
      const listing = await readListing(client, true);
      return {
        entries: listing.entries.map(({ number, listedOctets, uniqueId }) => ({
          ...{ number, listedOctets, uniqueId },
        })),
        ignoredLines: listing.ignoredLines,
        hasUniqueIds: listing.hasUniqueIds,
        first: listing.firstUniqueId satisfies Status | null,
      };
    }
  }
}

export interface EndlessReading {
  /** The error's class. */
  readonly failure: string;
  /** Octets that the stream gave before it. */
  readonly takenOctets: number;
  /** By how much buffers grew at most meanwhile, garbage apart. */
  readonly grownOctets: number;
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
/** More is worth a look at how much of it is garbage. */
const grownOctetsToCollect = 32 * 1024 * 1024;

/** Reads from a stream that never ends. @param start what comes before the endless repetition of `piece` */
export async function readEndless(
  kind: Reading | 'large-message',
  start: string,
  piece: string,
): Promise<EndlessReading> {
  const chunk = piece.repeat(Math.ceil(65_536 / piece.length));
  let takenOctets = 0;
  let most = 0;
  const before = process.memoryUsage().arrayBuffers;
  const grownOctets = (): number => process.memoryUsage().arrayBuffers - before;
  const stream = new Readable({
    read() {
      takenOctets += chunk.length;
      if (grownOctets() > grownOctetsToCollect) collectGarbage();
      most = Math.max(most, grownOctets());
      this.push(Buffer.from(chunk, 'latin1'));
    },
  });
  stream.unshift(Buffer.from(start, 'latin1'));
  const client = new Pop3Client(stream as unknown as Duplex, timeoutMs, never);
  let failure = 'none';
  try {
    if (kind === 'large-message') await client.replies.readMessage(1 << 28, () => undefined);
    else await readOne(client, kind);
  } catch (error) {
    failure = nameOf(error);
  }
  client.destroy();
  return { failure, takenOctets, grownOctets: most };
}
