// One POP3 session on one connection: read, look up, run, write; timers and limits. RFC 1939, RFC 2449.
// All that is written to the peer goes out from here, in order. Longer than other files: one loop, whose steps share its connection and state.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { parseCommandLine } from '../../wire/command-line.js';
import { LineReader, type LineEvent } from '../../wire/line-reader.js';
import { maxAuthLineOctets, maxCommandLineOctets } from '../../wire/limits.js';
import type { ServerTls } from '../../system/tls/tls-server.js';
import { formatChallenge, formatResponse, type ResponseCode } from '../../wire/response.js';
import { closeGently, closeSoon } from './close-connection.js';
import { findCommand } from '../commands/command-table.js';
import { Deadline } from './deadline.js';
import { ErrorBudget } from './error-budget.js';
import { failureDelayMs } from './failure-delay.js';
import { greetingWith } from '../texts/greeting.js';
import { clearLink, encryptedLink, type Link } from '../commands/link.js';
import { sendListing } from './listing-sender.js';
import { MessageLog } from '../commands/message-log.js';
import { BrokenOff, sendMessage } from './message-sender.js';
import { error, type ErrorOutcome, type Outcome } from '../commands/outcome.js';
import { Pause } from '../../system/runtime/pause.js';
import { isLoopback } from '../commands/peer.js';
import { addRunning, type RunningSession } from './running-sessions.js';
import type { Service } from '../commands/service.js';
import type { SessionContext } from '../commands/session-context.js';
import { SessionTally, type EndReason } from './session-log.js';
import { SessionOutput, type Connection } from './session-output.js';
import type { Login, State } from '../commands/session-state.js';
import type { Starter } from './starter.js';
import { defaultTexts, Texts, type TextValues } from '../texts/texts.js';

export interface SessionOptions {
  /** Identifies the session in the log. */
  readonly id: string;
  /** The peer's address for the log, if there is one. */
  readonly peer: string | undefined;
  readonly accessLevel: number | undefined;
  /** Whether the greeting was sent before the session was made. */
  readonly isGreeted: boolean;
  /** The timestamp in the greeting, when APOP is offered. */
  readonly apopTimestamp: string | null;
  readonly starter: Starter;
}

/** Input that may wait while a command runs; beyond it the connection is not read. */
const maxWaitingOctets = 16 * 1024;

/** Commands that arrived together are run in one go up to this many, then others get a turn. */
const commandsPerTurn = 200;

/**
 * Commands that need no look at the maildrop before them. UPDATE looks for itself, and QUIT ends the session even when the maildrop
 * cannot be looked at, RFC 1939 §6. Opening a message finds out where it is now, or that it is gone.
 */
const looksForItself: ReadonlySet<string> = new Set(['QUIT', 'RETR', 'TOP']);

/** Runs one session. @returns when the connection is closed and the maildrop released; never rejects */
export async function runSession(
  connection: Connection,
  service: Service,
  options: SessionOptions,
): Promise<void> {
  await new Session(connection, service, options).run();
}

class Session implements RunningSession {
  readonly #service: Service;
  readonly #options: SessionOptions;
  readonly #reader = new LineReader(maxAuthLineOctets);
  readonly #tally = new SessionTally();
  readonly #messages: MessageLog | null;
  readonly #budget: ErrorBudget;
  readonly #startedMs = performance.now();
  #connection: Connection;
  #output: SessionOutput;
  #link: Link;
  #texts = defaultTexts();
  #state: State = { name: 'AUTHORIZATION', userName: null };
  /** Takes the next line instead of the command table, while a SASL exchange goes on. */
  #respond: ((line: Buffer) => Promise<Outcome>) | null = null;
  readonly #deadline = new Deadline(() => this.#onDeadline());
  readonly #pause = new Pause();
  #isPumping = false;
  #isPausing = false;
  #isShakingHands = false;
  #hasInputEnded = false;
  #isFinished = false;
  /** Before the login only. */
  #commandStartedMs = 0;
  /** Why the session is to end; the loop looks at it between commands. */
  #ending: EndReason | null = null;
  #resolve: () => void = () => undefined;

  constructor(connection: Connection, service: Service, options: SessionOptions) {
    this.#connection = connection;
    this.#service = service;
    this.#messages = service.logsMessages === true ? new MessageLog() : null;
    this.#options = options;
    this.#budget = new ErrorBudget(service.limits);
    this.#output = new SessionOutput(connection, service.limits.idleTimeoutMs);
    this.#link = clearLink(service.security, isLoopback(options.peer));
  }

  async run(): Promise<void> {
    const leave = addRunning(this);
    const ended = new Promise<void>((resolve) => (this.#resolve = resolve));
    const { peer, accessLevel, starter } = this.#options;
    starter.onEvict(() => this.#evict());
    this.#report('connect', {
      ...(peer === undefined ? {} : { peer }),
      ...(accessLevel === undefined ? {} : { level: accessLevel }),
    });
    this.#deadline.set(this.#service.limits.loginTimeoutMs);
    void this.#begin();
    await ended;
    leave();
  }

  async #begin(): Promise<void> {
    const { tls, isImplicit } = this.#service.security;
    this.#isPumping = true;
    if (isImplicit && tls !== null && !(await this.#encrypt(tls))) {
      this.#ending ??= 'error';
    } else {
      if (!this.#options.isGreeted) this.#output.write(greetingWith(this.#options.apopTimestamp));
      this.#listen();
    }
    this.#isPumping = false;
    // The greeting leaves like any reply, and a signal or timer that came meanwhile is seen.
    await this.#pump();
  }

  #report(event: string, fields: Readonly<Record<string, string | number>>): void {
    this.#service.log.write(event, { session: this.#options.id, ...fields });
  }

  #context(): SessionContext {
    return {
      service: this.#service,
      link: this.#link,
      peer: this.#options.peer,
      apopTimestamp: this.#options.apopTimestamp,
      messages: this.#messages,
      report: (event, fields) => this.#report(event, fields),
    };
  }

  /** Ends the session between two commands; a handshake is not waited for. */
  shutDown(): void {
    this.#ending ??= 'signal';
    if (this.#isShakingHands) this.#connection.destroy();
    this.#pause.end();
    void this.#pump();
  }

  /** Ends a session that has not logged in at once: neither a password being verified nor a client that does not read is waited for. */
  #evict(): void {
    if (this.#state.name === 'TRANSACTION') return;
    if (this.#isPumping && !this.#isPausing) this.#connection.destroy();
    this.shutDown();
  }

  #listen(): void {
    const connection = this.#connection;
    connection.on('data', this.#onData);
    connection.on('end', this.#onEnd);
    connection.on('close', this.#onClose);
    connection.on('timeout', this.#onTimeout);
    // The peer's resets and our broken pipes close a socket; an alert after the handshake, such as a client's that does not
    // trust the certificate, does not.
    connection.on('error', () => connection.destroy());
    // A peer may close together with the last octets of its handshake: nobody was listening then.
    if (connection.readableEnded || connection.destroyed) this.#endInput();
  }

  #stopListening(): void {
    const connection = this.#connection;
    connection.pause();
    connection.off('data', this.#onData);
    connection.off('end', this.#onEnd);
    connection.off('close', this.#onClose);
    connection.off('timeout', this.#onTimeout);
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#isFinished) return;
    this.#reader.push(chunk);
    if (!this.#isPumping) void this.#pump();
    else if (this.#reader.waitingOctets > maxWaitingOctets) this.#connection.pause();
  };

  readonly #onEnd = (): void => this.#endInput();

  /** Unlike a peer that only closed its side, one that is gone waits for no answer. */
  readonly #onClose = (): void => {
    this.#pause.end();
    this.#endInput();
  };

  readonly #onTimeout = (): void => this.#timeOut();

  #endInput(): void {
    this.#hasInputEnded = true;
    void this.#pump();
  }

  /** Runs the commands that have arrived, in order, one at a time; also when the peer is gone: it may have said QUIT. */
  async #pump(): Promise<void> {
    if (this.#isPumping) return;
    this.#isPumping = true;
    let count = 0;
    try {
      while (this.#ending === null) {
        const event = this.#reader.next() ?? (await this.#nextAfterFlush());
        if (event === null) break;
        const handling =
          event.kind === 'line' ? this.#handle(event.bytes) : this.#tooLong(event.kind);
        if (handling !== undefined) await handling;
        if (this.#output.isFull) await this.#output.flush();
        count += 1;
        if (count % commandsPerTurn === 0) await nextTurn();
      }
      if (this.#hasInputEnded) this.#ending ??= 'disconnect';
    } catch (failure) {
      // The peer is cut off, without a terminator that would make half a message look whole; other sessions go on.
      const isExpected = failure instanceof BrokenOff;
      if (isExpected && this.#output.isDead) {
        this.#ending ??= 'disconnect';
      } else {
        const text = failure instanceof Error && !isExpected ? failure.stack : String(failure);
        this.#report('error', { error: text ?? String(failure) });
        this.#ending = 'error';
      }
      this.#connection.destroy();
    }
    if (this.#ending !== null) {
      await this.#finish(this.#ending);
      return;
    }
    this.#isPumping = false;
    // RFC 1939 §3: commands keep a session alive; octets that trickle in without being one do not.
    if (this.#state.name === 'TRANSACTION' && count > 0) {
      this.#deadline.set(this.#service.limits.idleTimeoutMs);
    }
    if (this.#connection.isPaused()) this.#connection.resume();
  }

  /** Replies leave when there is nothing more to answer; by then there may be. */
  async #nextAfterFlush(): Promise<LineEvent | null> {
    await this.#output.flush();
    return this.#ending === null ? this.#reader.next() : null;
  }

  async #finish(reason: EndReason): Promise<void> {
    this.#isFinished = true;
    this.#deadline.clear();
    const connection = this.#connection;
    if (reason === 'signal') {
      this.#writeStatus(false, { text: 'shutting-down', code: 'SYS/TEMP' });
    }
    await this.#output.flush();
    const login = this.#state.name === 'TRANSACTION' ? this.#state.login : null;
    const maildrop = login?.maildrop ?? null;
    if (login !== null) await this.#logMessages(login);
    this.#service.log.write('logout', {
      session: this.#options.id,
      ...this.#tally.fields(reason, maildrop, this.#startedMs),
    });
    await maildrop?.close();
    // A stranger who is to leave is not waited for.
    if (reason === 'signal' && maildrop === null) await closeSoon(connection);
    else await closeGently(connection);
    this.#resolve();
  }

  #onDeadline(): void {
    // Work for a logged-in user may take long, and waiting for them to read has a timer of its own.
    if (this.#isPumping && this.#state.name === 'TRANSACTION') {
      this.#deadline.set(this.#service.limits.idleTimeoutMs);
    } else {
      this.#timeOut();
    }
  }

  /** RFC 1939 §3: closes without a reply, and without removing anything. */
  #timeOut(): void {
    this.#ending ??= 'timeout';
    this.#connection.destroy();
    void this.#pump();
  }

  #handle(line: Buffer): undefined | Promise<void> {
    const respond = this.#respond;
    if (respond !== null) {
      this.#respond = null;
      return this.#execute(() => respond(line));
    }
    const command = parseCommandLine(line);
    if (command === null) return this.#reply({ ...error('unknown-command'), isBad: true });
    if (line.length > maxCommandLineOctets && command.keyword !== 'AUTH') {
      return this.#tooLong('too-long');
    }
    const found = findCommand(command.keyword, this.#state.name);
    if (found.found === 'nothing') return this.#reply({ ...error('unknown-command'), isBad: true });
    if (found.found === 'other-state') {
      return this.#reply(error(`wrong-state-${this.#state.name.toLowerCase()}`));
    }
    const parsed = found.parse(command.argument);
    if ('refusal' in parsed) return this.#reply(parsed.refusal);
    const looksFirst = !looksForItself.has(command.keyword);
    return this.#execute(() => {
      const state = this.#state;
      const run = (): Outcome | Promise<Outcome> =>
        found.run(parsed.values, state, this.#context());
      const refreshing =
        looksFirst && state.name === 'TRANSACTION' ? state.login.maildrop.refresh() : undefined;
      return refreshing === undefined ? run() : refreshing.then(run);
    });
  }

  /** At once where it can be: promises would cost most commands as much as their work. */
  #execute(run: () => Outcome | Promise<Outcome>): undefined | Promise<void> {
    if (this.#state.name === 'AUTHORIZATION') this.#commandStartedMs = performance.now();
    let outcome;
    try {
      outcome = run();
    } catch (failure) {
      return this.#reply(this.#outcomeOf(failure));
    }
    return outcome instanceof Promise ? this.#replyLater(outcome) : this.#reply(outcome);
  }

  async #replyLater(pending: Promise<Outcome>): Promise<void> {
    await this.#reply(await pending.catch((failure: unknown) => this.#outcomeOf(failure)));
  }

  /** Of a command that could not be carried out. */
  #outcomeOf(failure: unknown): Outcome {
    this.#report('error', { error: (failure as Error).message });
    const isLoggedIn = this.#state.name === 'TRANSACTION';
    return error(isLoggedIn ? 'maildrop-unreadable' : 'internal-error', undefined, 'SYS/TEMP');
  }

  #tooLong(kind: 'too-long' | 'endless'): undefined | Promise<void> {
    this.#respond = null;
    if (kind === 'endless') this.#ending = 'error';
    return this.#reply({ ...error('line-too-long'), isBad: true });
  }

  /** Writes what a command came to, and enters the state that it leads to. */
  #reply(outcome: Outcome): undefined | Promise<void> {
    switch (outcome.kind) {
      case 'ok':
        this.#writeStatus(true, outcome);
        return undefined;
      case 'error':
        if (outcome.isFailedLogin === true) return this.#refuseLogin(outcome);
        this.#writeError(outcome);
        return undefined;
      case 'listing':
        this.#writeStatus(true, outcome);
        return sendListing(outcome.lines, this.#output);
      case 'message':
        return this.#sendMessage(outcome);
      case 'enter-transaction':
        this.#enterTransaction(outcome);
        return undefined;
      case 'challenge':
        this.#respond = outcome.respond;
        this.#output.write(formatChallenge(outcome.challenge));
        return undefined;
      case 'start-tls':
        return this.#startTls();
      case 'change-language':
        this.#texts = new Texts(outcome.tag);
        this.#writeStatus(true, { text: 'language-set', values: { tag: outcome.tag } });
        return undefined;
      case 'quit':
        this.#tally.removedCount = outcome.removedCount;
        this.#writeStatus(outcome.isOk, outcome);
        this.#ending = 'quit';
        return undefined;
    }
  }

  /** RFC 2595 §4. What was read before the handshake is thrown away, unlooked at, and nothing of the session so far stays. */
  async #startTls(): Promise<void> {
    const { tls } = this.#service.security;
    if (tls === null) return;
    this.#stopListening();
    this.#reader.takeRest();
    while (this.#connection.read() !== null);
    this.#writeStatus(true, { text: 'begin-tls' });
    await this.#output.flush();
    if (!(await this.#encrypt(tls))) {
      this.#ending ??= 'error';
      return;
    }
    this.#state = { name: 'AUTHORIZATION', userName: null };
    this.#texts = defaultTexts();
    this.#listen();
  }

  /** @returns whether it worked; the connection is destroyed when not */
  async #encrypt(tls: ServerTls): Promise<boolean> {
    this.#isShakingHands = true;
    try {
      const socket = await tls.accept(this.#connection, this.#service.limits.handshakeTimeoutMs);
      this.#connection = socket;
      this.#output = new SessionOutput(socket, this.#service.limits.idleTimeoutMs);
      this.#link = encryptedLink(socket);
      return true;
    } catch (failure) {
      // A signal or a deadline closes the connection too: then it was not the peer who did, and `logout` says why.
      if (this.#ending === null) {
        const { peer } = this.#options;
        const error = (failure as Error).message;
        this.#report('tls-failed', { ...(peer === undefined ? {} : { peer }), error });
      }
      return false;
    } finally {
      this.#isShakingHands = false;
    }
  }

  #writeStatus(isOk: boolean, { text, values, code }: StatusText): void {
    this.#output.write(formatResponse(isOk, this.#texts.format(text, values), code));
  }

  /**
   * The answer comes late, whatever was wrong; the time counts from the command, so that what the verdict took does not show: hashes
   * of several kinds take several times. Those who are right are not delayed.
   */
  async #refuseLogin(outcome: ErrorOutcome): Promise<void> {
    const { starter } = this.#options;
    const { limits } = this.#service;
    this.#budget.addFailedLogin();
    starter.tell('failed-login');
    // Sessions that guess at the same time began with the same count: what became of the others since then counts too.
    const own = starter.failedLogins + this.#budget.failedLogins;
    const failures = Math.max(own, starter.recentFailures());
    const lateMs = failureDelayMs(limits.failureDelayMs, failures);
    const tookMs = performance.now() - this.#commandStartedMs;
    const paused = this.#pauseFor(Math.max(0, Math.ceil(lateMs - tookMs)));
    // The answers to what came before are not late.
    await this.#output.flush();
    await paused;
    this.#writeError(outcome);
    // Nobody would hear of the verdicts on the guesses behind this one.
    if (this.#output.isDead) this.#ending ??= 'disconnect';
  }

  async #pauseFor(ms: number): Promise<void> {
    if (ms === 0 || this.#ending !== null) return;
    this.#isPausing = true;
    await this.#pause.last(ms);
    this.#isPausing = false;
  }

  #writeError(outcome: ErrorOutcome): void {
    if (outcome.isBad === true) this.#budget.addBadCommand();
    const { excess } = this.#budget;
    this.#writeStatus(false, excess === null ? outcome : { text: excess });
    if (excess !== null) this.#ending = 'error';
  }

  #enterTransaction({ login }: Extract<Outcome, { kind: 'enter-transaction' }>): void {
    this.#state = { name: 'TRANSACTION', login };
    this.#budget.logIn();
    const { identity, mechanism, maildrop } = login;
    this.#options.starter.tell('login');
    this.#report('login', {
      user: `${identity.user}@${identity.domain}`,
      mechanism,
      ...(this.#link.tlsVersion === null ? {} : { tls: this.#link.tlsVersion }),
      messages: maildrop.records.length,
    });
    this.#deadline.set(this.#service.limits.idleTimeoutMs);
    this.#writeStatus(true, { text: 'logged-in', values: { count: maildrop.records.length } });
  }

  async #sendMessage(outcome: Extract<Outcome, { kind: 'message' }>): Promise<void> {
    if (this.#state.name !== 'TRANSACTION') return;
    const { maildrop } = this.#state.login;
    const command = outcome.bodyLines === null ? 'retr' : 'top';
    const note = (extent: 'part' | 'whole'): void =>
      this.#messages?.noteSent(outcome.record, outcome.number, { command, extent });
    let sent;
    try {
      sent = await sendMessage(outcome, maildrop, this.#output, this.#texts);
    } catch (failure) {
      note('part');
      throw failure;
    }
    if ('kind' in sent) {
      this.#writeError(sent);
      return;
    }
    this.#tally[command].add(sent.octets);
    if (this.#messages === null) return;
    // A reply that waits for others to leave with it may never leave.
    await this.#output.flush();
    note(sent.isWhole && !this.#output.isDead ? 'whole' : 'part');
  }

  async #logMessages({ identity, maildrop }: Login): Promise<void> {
    const user = `${identity.user}@${identity.domain}`;
    await this.#messages?.write(maildrop, (fields) => this.#report('message', { user, ...fields }));
  }
}

interface StatusText {
  readonly text: string;
  readonly values?: TextValues;
  readonly code?: ResponseCode;
}
