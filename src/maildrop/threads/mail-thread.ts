// A thread that makes the calls on the files of maildrops, for sessions of another thread. Where a
// file server does not answer, this thread stands still and that one does not.

import { parentPort, workerData } from 'node:worker_threads';
import type { Maildrop, MessageRecord, OpenMessage } from '../messages/maildrop.js';
import { unknownOctets, type Octets } from '../messages/octets.js';
import { openPlace } from '../opened/open-place.js';
import { ownerOf } from '../place/maildrop-owner.js';
import { createRecentMaildrops } from '../view/recent-maildrops.js';
import { failureOf, type Answer, type Calls, type Changes, type Request } from './calls.js';

export interface MailThreadData {
  /** How many messages of maildrops that were open are remembered; 0: none. */
  readonly rememberedMessages: number;
}

/** Of a message that is opened; all of most messages. */
const startBytes = 256 * 1024;

const { rememberedMessages } = workerData as MailThreadData;
const recent = rememberedMessages === 0 ? undefined : createRecentMaildrops(rememberedMessages);

const post = (answer: Answer): void => parentPort?.postMessage(answer);

/** A maildrop, and what its session knows of it. */
class Served {
  maildrop: Maildrop | null = null;
  message: OpenMessage | null = null;
  isStopped = false;
  readonly #octets: Octets[] = [];
  readonly #uniqueIds: (string | null)[] = [];
  readonly #areGone: boolean[] = [];

  get records(): readonly MessageRecord[] {
    return this.maildrop?.records ?? [];
  }

  get open(): Maildrop {
    if (this.maildrop === null) throw new Error('the maildrop is not open');
    return this.maildrop;
  }

  at(index: number): MessageRecord {
    const record = this.records[index];
    if (record === undefined) throw new RangeError(`no message ${index + 1}`);
    return record;
  }

  /** @returns null when the session knows all */
  changes(): Changes | null {
    const changes: Changes = { indexes: [], areGone: [], octets: [], uniqueIds: [] };
    for (const [index, { octets, uniqueId, status }] of this.records.entries()) {
      const isGone = status === 'gone';
      const isKnown =
        (this.#octets[index] ?? unknownOctets) === octets &&
        (this.#uniqueIds[index] ?? null) === uniqueId &&
        (this.#areGone[index] ?? false) === isGone;
      if (isKnown) continue;
      changes.indexes.push(index);
      changes.octets.push((this.#octets[index] = octets));
      changes.uniqueIds.push((this.#uniqueIds[index] = uniqueId));
      changes.areGone.push((this.#areGone[index] = isGone));
    }
    return changes.indexes.length === 0 ? null : changes;
  }

  closeMessage(): void {
    this.message?.close();
    this.message = null;
  }
}

type Performers = {
  readonly [What in keyof Calls]: (
    served: Served,
    given: Calls[What][0],
    maildrop: number,
  ) => Calls[What][1] | Promise<Calls[What][1]>;
};

const performers: Performers = {
  owner: (_, place) => ownerOf(place),
  async open(served, settings, maildrop) {
    const opened = await openPlace(
      settings,
      {
        report: (event, fields) => post({ maildrop, event, fields }),
        shouldStop: () => served.isStopped,
      },
      recent,
    );
    served.maildrop = opened;
    const baseNames = opened.records.map((record) => opened.nameOf(record));
    return { baseNames, changes: served.changes() };
  },
  async refresh({ open }) {
    await open.refresh();
    return null;
  },
  async measure(served, index) {
    await (index === null ? served.open.measureAll() : served.open.measure(served.at(index)));
    return null;
  },
  measureForSending: (served, { index, fileBytes }) =>
    served.open.measureForSending(served.at(index), fileBytes),
  async assignUniqueIds({ open }) {
    await open.assignUniqueIds();
    return null;
  },
  async openMessage(served, index) {
    const message = await served.open.open(served.at(index));
    if (message === null) return null;
    served.message = message;
    try {
      const { fileBytes } = message;
      const start = await readOn(message, Math.min(fileBytes, startBytes));
      if (start.length === fileBytes) served.closeMessage();
      return { fileBytes, start };
    } catch (error) {
      served.closeMessage();
      throw error;
    }
  },
  read({ message }, bytes) {
    if (message === null) throw new Error('no message is open');
    return readOn(message, bytes);
  },
  closeMessage(served) {
    served.closeMessage();
    return null;
  },
  async requireServable(served, index) {
    await served.open.requireServable(served.at(index));
    return null;
  },
  correctOctets(served, { index, octets }) {
    served.open.correctOctets(served.at(index), octets);
    return null;
  },
  noteRetrieved(served, index) {
    served.open.noteRetrieved(served.at(index));
    return null;
  },
  async update(served, marked) {
    // One that another program removed stays gone.
    for (const index of marked) {
      const record = served.at(index);
      if (record.status === 'present') record.status = 'marked';
    }
    const { removed, failures } = await served.open.update();
    const indexes = new Map(served.records.map((record, index) => [record, index]));
    const indexOf = (record: MessageRecord): number => indexes.get(record) ?? -1;
    return {
      removed: removed.map(indexOf),
      failures: failures.map(({ record, error }) => ({
        index: indexOf(record),
        failure: failureOf(error),
      })),
    };
  },
  stop(served) {
    served.isStopped = true;
    return null;
  },
  async close(served, _, maildrop) {
    maildrops.delete(maildrop);
    served.closeMessage();
    await served.maildrop?.close();
    return null;
  },
};

const maildrops = new Map<number, Served>();

async function readOn(message: OpenMessage, wanted: number): Promise<Uint8Array> {
  await message.makeReady?.(wanted);
  // Memory of its own: all that a view is of would be copied.
  const bytes = Buffer.allocUnsafeSlow(wanted);
  let length = 0;
  while (length < wanted) {
    const count = message.read(bytes.subarray(length));
    if (count === 0) break;
    length += count;
  }
  return bytes.subarray(0, length);
}

async function answer(request: Exclude<Request, string>): Promise<void> {
  const { id, maildrop, what, given } = request;
  const served = maildrops.get(maildrop) ?? new Served();
  maildrops.set(maildrop, served);
  served.isStopped = false;
  // TypeScript does not know that both are of the same call.
  const perform = performers[what] as (served: Served, given: unknown, maildrop: number) => unknown;
  try {
    const value = await perform(served, given, maildrop);
    post({ id, result: { value }, changes: served.changes() });
  } catch (error) {
    post({ id, result: { failure: failureOf(error) }, changes: served.changes() });
  }
}

parentPort?.on('message', (request: Request) => {
  if (request === 'ping') post('pong');
  else void answer(request);
});
post('ready');
