// RETR after RETR, as many under way as the server and its bounds permit; each group of messages is
// verified with a probe and then committed. Deletes nothing.

import { formatCommandLine } from '../../wire/command-line.js';
import type { Response } from '../../wire/response.js';
import type { Pop3Client } from '../talk/client.js';
import { quoteServerText, StoreFailure } from '../settings/failures.js';
import type { Arrival, GroupStore, OnStored } from '../keep/group-store.js';
import type { Entry } from '../talk/listing.js';
import { formatProbe, judgeProbe, probeKindFor, type ProbeKind } from '../talk/probe.js';
import type { Emit } from './events.js';
import { exchangeAll, type Command } from './exchange-all.js';
import { SessionBroken } from './session-broken.js';

/**
 * Octets of commands under way: all RETRs of a thousand messages, so that they cost one round trip.
 * RFC 2449 §6.6 wants them to fit the transport's window lest both ends wait for each other; this
 * end never does, it reads whatever it has yet to write.
 */
const maxCommandOctets = 16_384;
/** Octets of messages under way, as listed; one message may be larger. */
const maxReplyOctets = 16 * 1024 * 1024;
const maxGroupMessages = 64;
const maxGroupOctets = 4 * 1024 * 1024;
/** Groups that are read but not yet committed. */
const maxPendingCommits = 6;

export interface DownloadOptions {
  readonly client: Pop3Client;
  readonly store: GroupStore;
  readonly probe: ProbeKind;
  readonly mayPipeline: boolean;
  /** Whether each message gets a probe of its own. */
  readonly isOneByOne: boolean;
  readonly maxOctets: number;
  readonly onStored: OnStored;
  readonly emit: Emit;
}

interface Step extends Command {
  readonly entry: Entry;
  /** Null for RETR. */
  readonly probe: ProbeKind | null;
}

/**
 * Fetches and stores messages; resolves when every one is safe or refused.
 *
 * @param entries in the order to fetch them
 * @throws StoreFailure; SessionBroken with the messages that were under way. What was read whole
 *   and not verified stays in tmp
 */
export async function download(entries: readonly Entry[], options: DownloadOptions): Promise<void> {
  await new Download(options).run(stepsFor(entries, options));
}

function* stepsFor(
  entries: readonly Entry[],
  { isOneByOne, probe }: DownloadOptions,
): Iterable<Step> {
  let messages = 0;
  let octets = 0;
  for (const [index, entry] of entries.entries()) {
    const line = formatCommandLine('RETR', entry.number);
    yield { entry, probe: null, line, replyOctets: entry.expectedOctets };
    messages += 1;
    octets += entry.expectedOctets;
    const isEnd =
      index === entries.length - 1 ||
      isOneByOne ||
      messages >= maxGroupMessages ||
      octets >= maxGroupOctets;
    if (!isEnd) continue;
    const kind = probeKindFor(entry, probe);
    yield { entry, probe: kind, line: formatProbe(kind, entry), replyOctets: 0 };
    messages = 0;
    octets = 0;
  }
}

class Download {
  readonly #options: DownloadOptions;
  /** Read whole, and not committed. */
  #group: Arrival[] = [];
  /** Replies were read or waited for, and are not verified. */
  #unverified: Entry[] = [];
  readonly #commits = new Set<Promise<void>>();
  #storeFailure: StoreFailure | null = null;

  constructor(options: DownloadOptions) {
    this.#options = options;
  }

  async run(steps: Iterable<Step>): Promise<void> {
    const { client, mayPipeline, store } = this.#options;
    const bounds = { mayPipeline, maxCommandOctets, maxReplyOctets };
    try {
      await exchangeAll(client, steps, bounds, (step) => this.#readReply(step));
      if (this.#group.length > 0) await this.#commitUnprobed();
      await Promise.all(this.#commits);
      if (this.#storeFailure !== null) throw this.#storeFailure;
    } catch (error) {
      await Promise.all(this.#commits);
      if (error instanceof StoreFailure) {
        await store.discard(this.#group);
        throw error;
      }
      await store.hold(this.#group);
      throw new SessionBroken(error, { step: 'RETR', unverified: this.#unverified });
    }
  }

  async #readReply({ entry, probe }: Step): Promise<void> {
    if (probe === null) await this.#readMessage(entry);
    else {
      const reply = await this.#options.client.replies.readResponse();
      // Unknown: the group stays open, and the next probe speaks for it too.
      if (judgeProbe(probe, entry, reply) === 'in-step') await this.#commit('stored');
    }
    if (this.#storeFailure !== null) throw this.#storeFailure;
  }

  async #readMessage(entry: Entry): Promise<void> {
    const { client, store, maxOctets, emit } = this.#options;
    this.#unverified.push(entry);
    const response = await client.replies.readResponse();
    if (!response.isOk) {
      this.#unverified.pop();
      emit({
        kind: 'left',
        entry,
        reason: `the server does not send it: ${quoteServerText(response.text)}`,
      });
      return;
    }
    const begun = store.begin(entry);
    let octets;
    try {
      octets = await client.replies.readMessage(maxOctets, (piece) => {
        emit({ kind: 'octets', octets: piece.length });
        begun.writer.write(piece);
      });
    } catch (error) {
      begun.writer.discard();
      throw error;
    }
    this.#group.push(await store.accept(begun, octets));
  }

  async #commit(state: 'stored' | 'doubtful'): Promise<void> {
    const group = this.#group;
    this.#group = [];
    this.#unverified = [];
    if (group.length === 0) return;
    const commit: Promise<void> = this.#options.store
      .commit(group, state, this.#options.onStored)
      .catch((error: unknown) => {
        this.#storeFailure ??=
          error instanceof StoreFailure ? error : new StoreFailure(String(error));
      })
      .finally(() => this.#commits.delete(commit));
    this.#commits.add(commit);
    if (this.#commits.size > maxPendingCommits) await Promise.race(this.#commits);
  }

  /**
   * The last probe was answered with -ERR: messages that were just read can speak for the group
   * instead. Where none of them is known any more, the server takes RETR for DELE (RFC 2449 §6.7),
   * and these may be the only copies.
   */
  async #commitUnprobed(): Promise<void> {
    const { client, probe } = this.#options;
    for (const { entry } of this.#group.slice(-5)) {
      const kind = probeKindFor(entry, probe);
      const reply = await exchangeProbe(client, kind, entry);
      if (judgeProbe(kind, entry, reply) === 'in-step') return this.#commit('stored');
    }
    await this.#commit('doubtful');
  }
}

function exchangeProbe(client: Pop3Client, kind: ProbeKind, entry: Entry): Promise<Response> {
  client.expectSilence();
  client.send(formatProbe(kind, entry));
  return client.replies.readResponse();
}
