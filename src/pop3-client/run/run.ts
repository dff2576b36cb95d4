// One run of pop3get: as many sessions as it takes to get past messages that end one, and a summary that says what was done.

import { exitCode } from '../../system/failures/exit-code.js';
import { checkMaildir, listMessages } from '../../maildir/deliver.js';
import { lockAccount } from '../keep/account-lock.js';
import {
  ConnectionLost,
  FellSilent,
  Interrupted,
  LostStep,
  MessageTooLarge,
  reasonOf,
  StoreFailure,
} from '../settings/failures.js';
import type { Journal } from '../keep/journal.js';
import type { Entry } from '../talk/listing.js';
import { locateServers, type Target } from '../find/locate.js';
import type { NameServer } from '../find/name-server.js';
import { openSession, type OpenSession } from '../talk/open-session.js';
import { recoverJournal } from '../keep/recovery.js';
import { nameOf, runSession, type SessionResult, type SessionState } from './session.js';
import type { Settings } from '../settings/settings.js';
import { traceHeader } from '../keep/session-trace.js';
import { newSummary, type FailedMessage, type Summary } from './summary.js';
import { TlsMemory } from '../find/tls-memory.js';
import { ConfigurationError, TemporaryError } from '../../system/failures/failures.js';

/** Sessions in one run; each after the first has isolated or left out a message that ended one. */
const maxSessions = 10;

export interface RunWatcher {
  onPlan(messages: number, octets: number): void;
  onOctets(octets: number): void;
  onStored(entry: Entry, octets: number): void;
  onFailed(failed: FailedMessage): void;
  /** A session ended early and another follows. */
  onSessionEnd(reason: string): void;
}

/** Why the next session is not the last one, and what it does differently. */
interface Course {
  readonly deliveredNames: readonly string[];
  settleOnly: boolean;
  mayPipeline: boolean;
  readonly suspects: Map<string, number>;
  readonly excluded: Set<string>;
}

/**
 * Runs to the end, or until `signal` aborts with an Interrupted.
 *
 * @returns the summary, whatever happened; never rejects for what a server, a disk or a user can cause
 */
export async function run(
  settings: Settings,
  nameServer: NameServer,
  signal: AbortSignal,
  watcher: RunWatcher,
): Promise<Summary> {
  const summary = newSummary(settings.account);
  const startedAt = performance.now();
  try {
    await new Run(settings, nameServer, signal, watcher, summary).run();
    if (summary.undecided) summary.exit = exitCode.temporary;
    else if (summary.failed.length > 0) summary.exit = exitCode.no;
  } catch (error) {
    summary.error = reasonOf(error);
    summary.exit = error instanceof ConfigurationError ? exitCode.permanent : exitCode.temporary;
    if (!(error instanceof ConfigurationError || error instanceof TemporaryError)) {
      // The system's errors (a Maildir that cannot be read) have a code; anything else is a fault of ours.
      if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    }
  }
  summary.seconds = Math.round(performance.now() - startedAt) / 1000;
  return summary;
}

class Run {
  readonly #settings: Settings;
  readonly #nameServer: NameServer;
  readonly #signal: AbortSignal;
  readonly #watcher: RunWatcher;
  readonly #summary: Summary;
  readonly #failed = new Set<string>();

  constructor(
    settings: Settings,
    nameServer: NameServer,
    signal: AbortSignal,
    watcher: RunWatcher,
    summary: Summary,
  ) {
    this.#signal = signal;
    this.#settings = settings;
    this.#nameServer = nameServer;
    this.#watcher = watcher;
    this.#summary = summary;
  }

  async run(): Promise<void> {
    const { maildir, account } = this.#settings;
    checkMaildir(maildir);
    const lock = await lockAccount(maildir, account);
    try {
      const journal = await recoverJournal(maildir, account);
      try {
        const targets = await locateServers(
          this.#settings.location,
          this.#nameServer,
          this.#signal,
        );
        await this.#runSessions(targets, journal, await listMessages(maildir));
      } finally {
        await journal.close();
      }
    } finally {
      lock.release();
    }
  }

  async #runSessions(
    targets: readonly Target[],
    journal: Journal,
    deliveredNames: readonly string[],
  ): Promise<void> {
    const course: Course = {
      deliveredNames,
      settleOnly: false,
      mayPipeline: true,
      suspects: new Map(journal.content.suspects),
      excluded: new Set(),
    };
    const tlsMemory = new TlsMemory(journal.content.sawTls, () => journal.addTls());
    let storeFailure: StoreFailure | null = null;
    for (let count = 1; ; count += 1) {
      const state: SessionState = { listing: null, hasPipelined: false, unverified: [] };
      try {
        const result = await this.#runOneSession(targets, tlsMemory, journal, course, state);
        await this.#finish(journal, result);
        break;
      } catch (error) {
        if (storeFailure !== null) break;
        const goesOn = await this.#changeCourse(error, state, course, journal);
        if (!goesOn || count === maxSessions) throw error;
        this.#watcher.onSessionEnd(reasonOf(error));
        if (error instanceof StoreFailure) storeFailure = error;
      }
    }
    if (storeFailure !== null) throw storeFailure;
  }

  async #runOneSession(
    targets: readonly Target[],
    tlsMemory: TlsMemory,
    journal: Journal,
    course: Course,
    state: SessionState,
  ): Promise<SessionResult> {
    const settings = this.#settings;
    const watcher = this.#watcher;
    const session = await openSession({
      settings,
      nameServer: this.#nameServer,
      targets,
      tlsMemory,
      signal: this.#signal,
    });
    try {
      this.#describe(session);
      return await runSession(
        {
          settings,
          session,
          journal,
          content: journal.content,
          ...course,
          traceHeader: (stamp) => traceHeader(session, stamp),
          watcher: {
            onPlan: (messages, octets) => watcher.onPlan(messages, octets),
            onOctets: (octets) => watcher.onOctets(octets),
            onStored: (entry, octets, isNew) => this.#countStored(entry, octets, isNew),
            onFailed: (entry, reason) => this.#countFailed(entry, reason),
          },
        },
        state,
      );
    } finally {
      // A session that was settled is closed already; any other must not reach QUIT.
      session.client.destroy();
      if (state.listing !== null) {
        const { entries, ignoredLines } = state.listing;
        if (this.#summary.listed === 0) this.#summary.listed = entries.length;
        // Without an answered QUIT the server removes nothing; `#finish` takes off what it removed.
        this.#summary.left = entries.length + ignoredLines;
      }
    }
  }

  /**
   * Decides what the next session does differently, and records the messages that are to blame.
   *
   * @returns whether there is a point in a next session
   */
  async #changeCourse(
    error: unknown,
    state: SessionState,
    course: Course,
    journal: Journal,
  ): Promise<boolean> {
    const { account, keep } = this.#settings;
    if (error instanceof StoreFailure) {
      // What is stored can be deleted in a session that retrieves nothing, so that no server throws anything away.
      course.settleOnly = true;
      return !keep && state.listing !== null;
    }
    const { hasPipelined, unverified } = state;
    if (error instanceof Interrupted) return false;
    if (error instanceof FellSilent && hasPipelined) {
      // Some servers announce PIPELINING and drop what comes ahead. The listing is asked for so, before any message.
      course.mayPipeline = false;
      if (unverified.length === 0) return true;
    }
    const isServers =
      error instanceof LostStep ||
      error instanceof MessageTooLarge ||
      error instanceof ConnectionLost;
    const [culprit] = unverified;
    if (!isServers || culprit === undefined) return false;
    const names = unverified.map((entry) => nameOf(account, entry));
    // A journal that cannot be written now only costs the knowledge.
    await journal.addSuspects(names.filter((name) => !name.startsWith('#'))).catch(() => undefined);
    if (error instanceof MessageTooLarge) {
      // The last one read is the one that was too large.
      const large = unverified.at(-1) ?? culprit;
      this.#exclude(course, large, `${error.message}: see --limit`);
    } else if (names.length === 1 && course.suspects.has(names[0] ?? '')) {
      // It was alone this time: it is to blame.
      this.#exclude(course, culprit, error.message);
    }
    for (const name of names) course.suspects.set(name, (course.suspects.get(name) ?? 0) + 1);
    return true;
  }

  #exclude(course: Course, entry: Entry, reason: string): void {
    course.excluded.add(nameOf(this.#settings.account, entry));
    this.#countFailed(entry, reason);
  }

  async #finish(journal: Journal, result: SessionResult): Promise<void> {
    const { listing, known, settlement, remaining } = result;
    const summary = this.#summary;
    summary.known += known.length;
    const deleted = settlement.quit === 'done' ? settlement.marked.length : 0;
    summary.deleted += deleted;
    if (summary.left !== null) summary.left -= deleted;
    summary.kept += remaining.length;
    summary.undecided = settlement.quit === 'undecided';
    if (settlement.quit === 'undecided') {
      summary.left = null;
      summary.error = `no answer to QUIT (${settlement.reason}): the next run finds out what was deleted`;
      return;
    }
    if (settlement.quit === 'refused') {
      for (const entry of settlement.marked) {
        this.#countFailed(entry, `stored, but perhaps not deleted: ${settlement.reason}`);
      }
      return;
    }
    // Suspects that came through are no longer suspect; those still listed and not stored remain so.
    const suspects = new Map(
      listing.entries.flatMap((entry): readonly [string, number][] => {
        const name = nameOf(this.#settings.account, entry);
        const count = journal.content.suspects.get(name);
        return count !== undefined && this.#failed.has(name) ? [[name, count]] : [];
      }),
    );
    await journal.replace(remaining, suspects).catch(() => undefined);
    if (listing.isCut) throw new TemporaryError('there are more messages than one run takes');
    if (listing.ignoredLines > 0) {
      throw new TemporaryError(`the server listed ${listing.ignoredLines} messages malformed`);
    }
  }

  #describe({ endpoint, isProtected, method }: OpenSession): void {
    const { host, port } = endpoint.target;
    this.#summary.server = `${host}:${port}`;
    this.#summary.tls = isProtected;
    this.#summary.login = method;
  }

  #countStored(entry: Entry, octets: number, isNew: boolean): void {
    if (!isNew) {
      this.#summary.known += 1;
      return;
    }
    this.#summary.stored += 1;
    this.#summary.octets += octets;
    this.#watcher.onStored(entry, octets);
  }

  #countFailed(entry: Entry, reason: string): void {
    const name = nameOf(this.#settings.account, entry);
    if (this.#failed.has(name)) return;
    this.#failed.add(name);
    const failed = { number: entry.number, uniqueId: entry.uniqueId, reason };
    this.#summary.failed.push(failed);
    this.#watcher.onFailed(failed);
  }
}
