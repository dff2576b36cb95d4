// One run of pop3get: as many sessions as it takes to get past messages that end one, and a summary
// that says what was done.

import { setTimeout as delay } from 'node:timers/promises';
import { exitCode } from '../../system/failures/exit-code.js';
import { listMessages } from '../../maildir/deliver.js';
import { lockAccount } from '../journal/account-lock.js';
import type { Delivery } from '../keep/delivery.js';
import { undecidedRecords } from '../keep/hand-over.js';
import { openDelivery, prepareDirectory } from '../keep/open-delivery.js';
import type { Journal } from '../journal/journal.js';
import { uniqueIdKey } from '../journal/message-key.js';
import { findLeftovers, recoverJournal, type HeldMessage } from '../keep/recovery.js';
import { sessionTrace } from '../keep/session-trace.js';
import { FellSilent, isLasting, reasonOf, StoreFailure, TooEarly } from '../settings/failures.js';
import type { Settings } from '../settings/settings.js';
import { locateServers, type Target } from '../find/locate.js';
import type { NameServer } from '../find/name-server.js';
import { Experience } from '../talk/experience.js';
import { openSession } from '../talk/open-session.js';
import { TlsMemory } from '../find/tls-memory.js';
import { ConfigurationError, TemporaryError } from '../../system/failures/failures.js';
import type { Emit, RunEvent } from './events.js';
import { decideNextSession } from './after-broken-session.js';
import { runSession, type SessionResult } from './session.js';
import { SessionBroken } from './session-broken.js';
import { nameOf, type Course } from './session-plan.js';
import { SummaryKeeper, type Summary } from './summary.js';
import type { Entry } from '../talk/listing.js';

/** Sessions in one run. */
const maxSessions = 10;
/** A timer of the server's own interval comes a moment too early: that is waited out. */
const earlySeconds = 15;

/**
 * Runs to the end, or until `signal` aborts with an Interrupted.
 *
 * @returns the summary, also of a run that failed; never rejects for what a server, a disk or a
 *   user can cause
 */
export async function run(
  settings: Settings,
  nameServer: NameServer,
  signal: AbortSignal,
  watch: Emit,
): Promise<Summary> {
  const startedAt = performance.now();
  const keeper = new SummaryKeeper(settings.account);
  const { summary } = keeper;
  const emit = (event: RunEvent): void => {
    if (keeper.count(event)) watch(event);
  };
  try {
    await new Run(settings, nameServer, signal, emit, keeper).run();
    if (summary.undecided) summary.exit = exitCode.temporary;
    else if (summary.failed.length > 0) summary.exit = exitCode.no;
  } catch (error) {
    summary.error = reasonOf(error);
    summary.tooEarly = error instanceof TooEarly;
    summary.exit = isLasting(error) ? exitCode.permanent : exitCode.temporary;
    if (!(error instanceof ConfigurationError || error instanceof TemporaryError)) {
      // The system's errors (a Maildir that cannot be read) have a code; anything else is a fault
      // of ours.
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
  readonly #watch: Emit;
  readonly #keeper: SummaryKeeper;
  #course: Course;
  #held: readonly HeldMessage[] = [];

  constructor(
    settings: Settings,
    nameServer: NameServer,
    signal: AbortSignal,
    watch: Emit,
    keeper: SummaryKeeper,
  ) {
    this.#settings = settings;
    this.#nameServer = nameServer;
    this.#signal = signal;
    this.#watch = watch;
    this.#keeper = keeper;
    this.#course = {
      ...{ isSettlingOnly: false, mayPipeline: true, hasCulprit: false },
      ...{ suspects: new Map(), excluded: new Set() },
    };
  }

  async run(): Promise<void> {
    const { maildir, account, location } = this.#settings;
    prepareDirectory(this.#settings);
    const lock = await lockAccount(maildir, account);
    try {
      const deliveredNames = await listMessages(maildir);
      const { journal, held } = await recoverJournal(maildir, account, deliveredNames);
      this.#held = held;
      this.#course = { ...this.#course, suspects: new Map(journal.content.suspects) };
      try {
        const delivery = await openDelivery(this.#settings, journal, this.#signal);
        try {
          const targets = await locateServers(location, this.#nameServer, this.#signal);
          await this.#runSessions({ targets, journal, deliveredNames, delivery });
        } finally {
          delivery.close();
        }
      } finally {
        await journal.close();
      }
    } finally {
      lock.release();
    }
  }

  async #runSessions(context: RunContext): Promise<void> {
    const { maildir, account } = this.#settings;
    const keep = this.#settings.keep && this.#settings.keepSeconds === null;
    const { journal } = context;
    const { sawTls, learned } = journal.content;
    const tlsMemory = new TlsMemory(sawTls, () => journal.addTls());
    const experience = new Experience(learned, (found) => journal.addLearned(found));
    await this.#waitFor(experience);
    const memories = { tlsMemory, experience };
    let isPipeliningBroken = false;
    let storeFailure: StoreFailure | null = null;
    let broken: SessionBroken | null = null;
    for (let count = 1; ; count += 1) {
      try {
        const result = await this.#runOneSession(context, memories);
        if (isPipeliningBroken) await experience.addPipeliningFailure();
        isPipeliningBroken = false;
        await this.#finish(journal, result);
        if (!result.hasMore || result.settlement.quit !== 'done') break;
        if (count === maxSessions)
          throw new TemporaryError('the mailbox still holds mail: the next run takes it');
      } catch (error) {
        if (storeFailure !== null) break;
        const circumstances = { account, keep, isInterrupted: this.#signal.aborted };
        const next = decideNextSession(error, this.#course, circumstances);
        if (next === null || count === maxSessions) throw withHistory(error, broken);
        isPipeliningBroken ||= breaksPipelining(error, this.#course, next.course);
        this.#course = next.course;
        // A journal that cannot be written now only costs the knowledge.
        await journal.addSuspects(next.suspects).catch(() => undefined);
        for (const { entry, reason } of next.givenUp) this.#emit({ kind: 'left', entry, reason });
        this.#emit({ kind: 'session-ended', reason: reasonOf(error) });
        if (error instanceof StoreFailure) storeFailure = error;
        if (error instanceof SessionBroken) broken = error;
        const { records } = journal.content;
        this.#held = (await findLeftovers(maildir, account, records, [])).held;
      }
    }
    if (storeFailure !== null) throw storeFailure;
    if (this.#keeper.isComplete) await experience.addLoginDelay();
  }

  async #waitFor({ waitSeconds }: Experience): Promise<void> {
    if (waitSeconds === 0) return;
    if (waitSeconds > earlySeconds) {
      throw new TooEarly(
        `the server wants no login for another ${waitSeconds} seconds (LOGIN-DELAY)`,
      );
    }
    await delay(waitSeconds * 1000, undefined, { signal: this.#signal }).catch(() => undefined);
    this.#signal.throwIfAborted();
  }

  async #runOneSession(context: RunContext, memories: Memories): Promise<SessionResult> {
    const settings = this.#settings;
    const session = await openSession({
      ...{ settings, ...memories, nameServer: this.#nameServer, targets: context.targets },
      signal: this.#signal,
    });
    const { client, endpoint, isProtected, method } = session;
    const server = `${endpoint.target.host}:${endpoint.target.port}`;
    this.#emit({ kind: 'login', server, isProtected, method });
    try {
      const result = await runSession({
        ...{ settings, session, held: this.#held, course: this.#course, ...context },
        experience: memories.experience,
        traceHeader: sessionTrace(session),
        emit: (event) => this.#emit(event),
      });
      this.#held = result.held;
      return result;
    } finally {
      // A session that was settled is closed already; any other must not reach QUIT.
      client.destroy();
    }
  }

  async #finish(journal: Journal, result: SessionResult): Promise<void> {
    const { listing, settlement, remaining, cleared } = result;
    this.#keeper.finish(result);
    if (settlement.quit === 'undecided') return;
    if (settlement.quit === 'refused') {
      const reason = `stored, but perhaps not deleted: ${settlement.reason}`;
      for (const entry of settlement.marked) this.#emit({ kind: 'left', entry, reason });
      return;
    }
    // Suspects that came through are no longer suspect; those still listed remain so.
    const suspects = new Map<string, number>();
    for (const entry of this.#course.suspects.size === 0 ? [] : listing.entries) {
      const name = this.#nameOf(entry);
      const times = this.#course.suspects.get(name);
      if (times !== undefined && !cleared.has(entry)) suspects.set(name, times);
    }
    this.#course = { ...this.#course, suspects };
    const undecided = undecidedRecords(journal.content.records);
    const listed = new Set(
      undecided.length === 0 ? [] : listing.entries.map((entry) => this.#keyOf(entry)),
    );
    const handing = undecided.filter(({ key }) => listed.has(key));
    await journal.replace([...remaining, ...handing], suspects).catch(() => undefined);
    if (listing.isCut)
      throw new TemporaryError(
        'the mailbox holds more messages than one run takes: the next run takes the others',
      );
    if (listing.ignoredLines > 0) {
      throw new TemporaryError(`the server listed ${listing.ignoredLines} messages malformed`);
    }
  }

  #emit(event: RunEvent): void {
    if (event.kind === 'left') {
      // Tried once in a run: it must not keep others waiting.
      const excluded = new Set(this.#course.excluded).add(this.#nameOf(event.entry));
      this.#course = { ...this.#course, excluded };
    }
    this.#watch(event);
  }

  #keyOf({ uniqueId }: Entry): string | null {
    return uniqueId === null ? null : uniqueIdKey(this.#settings.account, uniqueId);
  }

  #nameOf(entry: Entry): string {
    return nameOf(this.#settings.account, entry);
  }
}

interface Memories {
  readonly tlsMemory: TlsMemory;
  readonly experience: Experience;
}

/** Whether the end of a session looks like a server that drops what is sent ahead. */
function breaksPipelining(error: unknown, before: Course, after: Course): boolean {
  if (!(error instanceof SessionBroken) || before.mayPipeline === after.mayPipeline) return false;
  // Any connection may break in the middle of a message.
  return error.listing === null || error.cause instanceof FellSilent;
}

interface RunContext {
  readonly targets: readonly Target[];
  readonly journal: Journal;
  readonly deliveredNames: readonly string[];
  readonly delivery: Delivery;
}

/**
 * What to end a run with.
 *
 * @param earlier an earlier session's end, which may be why this one was needed
 */
function withHistory(error: unknown, earlier: SessionBroken | null): unknown {
  const cause = error instanceof SessionBroken ? error.cause : error;
  if (error instanceof TooEarly && earlier === null) return error;
  const history = earlier === null ? '' : `; before that: ${earlier.message}`;
  const message = `${reasonOf(error)}${history}`;
  if (isLasting(cause)) return new ConfigurationError(message);
  return cause instanceof TemporaryError ? new TemporaryError(message) : cause;
}
