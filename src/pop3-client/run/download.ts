// RETR after RETR, as many under way as the server and its bounds permit; each group of messages is verified with a probe
// and then committed. Deletes nothing.

import { formatCommandLine } from '../../wire/command-line.js';
import type { Pop3Client } from '../talk/client.js';
import { LostStep, quoteServerText, StoreFailure } from '../settings/failures.js';
import type { Arrival, GroupStore } from '../keep/group-store.js';
import type { StoredRecord } from '../keep/journal-format.js';
import type { Entry } from '../talk/listing.js';
import { formatProbe, judgeProbe, probeKindFor, type ProbeKind } from '../talk/probe.js';

/**
 * Octets of commands under way: all RETRs of a thousand messages, so that they cost one round trip. RFC 2449 §6.6 wants them to
 * fit the transport's window lest both ends wait for each other; this end never does, it reads whatever it has yet to write.
 */
const maxCommandOctets = 16_384;
/** Octets of messages under way, as listed; one message may be larger. */
const maxOutstandingOctets = 16 * 1024 * 1024;
const maxGroupMessages = 64;
const maxGroupOctets = 4 * 1024 * 1024;
/** Groups that are read but not yet committed. */
const maxPendingCommits = 6;

export interface DownloadOptions {
  readonly client: Pop3Client;
  readonly store: GroupStore;
  readonly probe: ProbeKind;
  readonly mayPipeline: boolean;
  readonly maxOctets: number;
  readonly onStored: (arrival: Arrival, record: StoredRecord, isNew: boolean) => void;
  /** A RETR was answered with -ERR. */
  readonly onRefused: (entry: Entry, reason: string) => void;
  /** Octets of messages as they come in. */
  readonly onOctets: (octets: number) => void;
}

type Step =
  | { readonly kind: 'retrieve'; readonly entry: Entry }
  | { readonly kind: 'probe'; readonly entry: Entry; readonly probe: ProbeKind };

/** Where a download broke off, for whoever decides what to try next. */
export interface DownloadState {
  /** Messages whose replies were read or waited for, and are not verified. */
  unverified: Entry[];
}

/**
 * Fetches and stores messages; resolves when every one is safe or refused.
 *
 * @param entries in the order to fetch them
 * @param alone those that get a probe of their own
 * @throws StoreFailure, LostStep, MessageTooLarge, ConnectionLost; `state` then says which messages were under way. What
 *   was not verified is removed
 */
export async function download(
  entries: readonly Entry[],
  alone: ReadonlySet<Entry>,
  options: DownloadOptions,
  state: DownloadState,
): Promise<void> {
  await new Download(options, state).run(planSteps(entries, alone, options.probe));
}

function planSteps(
  entries: readonly Entry[],
  alone: ReadonlySet<Entry>,
  probe: ProbeKind,
): readonly Step[] {
  const steps: Step[] = [];
  let messages = 0;
  let octets = 0;
  for (const [index, entry] of entries.entries()) {
    steps.push({ kind: 'retrieve', entry });
    messages += 1;
    octets += entry.expectedOctets;
    const next = entries[index + 1];
    const isEnd =
      next === undefined ||
      alone.has(entry) ||
      alone.has(next) ||
      messages >= maxGroupMessages ||
      octets >= maxGroupOctets;
    if (!isEnd) continue;
    steps.push({ kind: 'probe', entry, probe: probeKindFor(entry, probe) });
    messages = 0;
    octets = 0;
  }
  return steps;
}

class Download {
  readonly #options: DownloadOptions;
  readonly #state: DownloadState;
  #group: Arrival[] = [];
  readonly #commits = new Set<Promise<void>>();
  #storeFailure: StoreFailure | null = null;

  constructor(options: DownloadOptions, state: DownloadState) {
    this.#options = options;
    this.#state = state;
  }

  async run(steps: readonly Step[]): Promise<void> {
    try {
      await this.#exchangeAll(steps);
      if (this.#group.length > 0) await this.#settleLastGroup();
      await Promise.all(this.#commits);
      if (this.#storeFailure !== null) throw this.#storeFailure;
    } catch (error) {
      await Promise.all(this.#commits);
      await this.#options.store.discard(this.#group);
      throw error;
    }
  }

  async #exchangeAll(steps: readonly Step[]): Promise<void> {
    const { client, mayPipeline } = this.#options;
    let sent = 0;
    let commandOctets = 0;
    let messageOctets = 0;
    for (const [index, step] of steps.entries()) {
      if (sent === index) client.expectSilence();
      // Commands go out in bunches: a write for each would be a packet for each.
      if (sent === index || (mayPipeline && commandOctets <= maxCommandOctets / 2)) {
        let lines = '';
        for (let next = steps[sent]; next !== undefined; next = steps[sent]) {
          const line = formatStep(next);
          const octets = expectedOctetsOf(next);
          const isRoom =
            sent === index ||
            (mayPipeline &&
              commandOctets + line.length <= maxCommandOctets &&
              messageOctets + octets <= maxOutstandingOctets);
          if (!isRoom) break;
          lines += line;
          commandOctets += line.length;
          messageOctets += octets;
          sent += 1;
        }
        if (lines !== '') client.send(lines);
      }
      await this.#readReply(step);
      commandOctets -= formatStep(step).length;
      messageOctets -= expectedOctetsOf(step);
      if (this.#storeFailure !== null) throw this.#storeFailure;
    }
  }

  async #readReply(step: Step): Promise<void> {
    const { client } = this.#options;
    if (step.kind === 'retrieve') {
      await this.#readMessage(step.entry);
      return;
    }
    const reply = await client.replies.readResponse();
    // Unknown: the group stays open, and the next probe speaks for it too.
    if (judgeProbe(step.probe, step.entry, reply) === 'in-step') await this.#commitGroup();
  }

  async #readMessage(entry: Entry): Promise<void> {
    const { client, store, maxOctets, onRefused, onOctets } = this.#options;
    this.#state.unverified.push(entry);
    const response = await client.replies.readResponse();
    if (!response.isOk) {
      this.#state.unverified.pop();
      onRefused(entry, quoteServerText(response.text));
      return;
    }
    const begun = store.begin(entry);
    let octets;
    try {
      octets = await client.replies.readMessage(maxOctets, (piece) => {
        onOctets(piece.length);
        begun.writer.write(piece);
      });
    } catch (error) {
      begun.writer.discard();
      throw error;
    }
    this.#group.push(await store.accept(entry, begun, octets));
  }

  async #commitGroup(): Promise<void> {
    const group = this.#group;
    this.#group = [];
    this.#state.unverified = [];
    if (group.length === 0) return;
    const commit: Promise<void> = this.#options.store
      .commit(group, this.#options.onStored)
      .catch((error: unknown) => {
        this.#storeFailure ??=
          error instanceof StoreFailure ? error : new StoreFailure(String(error));
      })
      .finally(() => this.#commits.delete(commit));
    this.#commits.add(commit);
    if (this.#commits.size > maxPendingCommits) await Promise.race(this.#commits);
  }

  /** The last probe was answered with -ERR: messages that were just read can speak for the group instead. */
  async #settleLastGroup(): Promise<void> {
    const { client, probe } = this.#options;
    for (const { entry } of this.#group.slice(-5)) {
      const kind = probeKindFor(entry, probe);
      client.expectSilence();
      client.send(formatProbe(kind, entry));
      const reply = await client.replies.readResponse();
      if (judgeProbe(kind, entry, reply) === 'in-step') return this.#commitGroup();
    }
    throw new LostStep('the server no longer knows the messages that it just sent');
  }
}

function formatStep(step: Step): string {
  return step.kind === 'probe'
    ? formatProbe(step.probe, step.entry)
    : formatCommandLine('RETR', step.entry.number);
}

function expectedOctetsOf(step: Step): number {
  return step.kind === 'probe' ? 0 : step.entry.expectedOctets;
}
