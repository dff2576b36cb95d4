// One POP3 session: greets, then takes a command, runs it, replies and enters the next state, until
// a command, the peer or a signal ends it. RFC 1939 §3, RFC 2449, RFC 2595 §4 (STLS).

import { setImmediate as nextTurn } from 'node:timers/promises';
import { CountingStopped } from '../../maildrop/messages/counting-stopped.js';
import type { Connection } from '../../system/descriptors/connection.js';
import { after } from '../../system/runtime/after.js';
import type { ServerTls } from '../../system/tls/tls-server.js';
import { runCommand } from '../commands/command-table.js';
import { MessageLog } from '../commands/message-log.js';
import { error, lineTooLong, type Outcome, type Reply } from '../commands/outcome.js';
import type { Service } from '../commands/service.js';
import type { SessionContext } from '../commands/session-context.js';
import type { Login, State } from '../commands/session-state.js';
import { closeGently, closeSoon } from '../connection/close-connection.js';
import { encryptedLink, firstLink } from '../connection/link.js';
import { greetingWith } from '../texts/greeting.js';
import { defaultTexts, Texts } from '../texts/texts.js';
import { ErrorBudget } from './error-budget.js';
import { LoginDelay } from './login-delay.js';
import { BrokenOff } from './message-sender.js';
import { Replies } from './replies.js';
import { addRunning } from './running-sessions.js';
import { SessionInput, type Input } from './session-input.js';
import { SessionTally, type EndReason } from './session-log.js';
import { SessionOutput } from './session-output.js';
import type { SessionOptions } from './session-options.js';

/** Commands that arrived together are run in one go up to this many, then other sessions run. */
const commandsPerTurn = 200;

/** Resolves when the connection is closed and the maildrop released; never rejects. */
export async function runSession(
  connection: Connection,
  service: Service,
  options: SessionOptions,
): Promise<void> {
  await new Session(connection, service, options).run();
}

/** Why the session ends; null when it goes on. A promise only where the step has to wait. */
type Step = EndReason | null | Promise<EndReason | null>;

class Session {
  readonly #service: Service;
  readonly #options: SessionOptions;
  readonly #input: SessionInput;
  readonly #replies: Replies;
  readonly #budget: ErrorBudget;
  readonly #tally = new SessionTally();
  readonly #startedMs = performance.now();
  #connection: Connection;
  readonly #output: SessionOutput;
  #context: SessionContext;
  #state: State = { name: 'AUTHORIZATION', userName: null };
  /** Of the command, or of the answer to a challenge; before the login only. */
  #lineCameMs = 0;

  constructor(connection: Connection, service: Service, options: SessionOptions) {
    const { limits, security } = service;
    const { id, peer, accessLevel, apopTimestamp } = options;
    this.#connection = connection;
    this.#service = service;
    this.#options = options;
    this.#output = new SessionOutput(connection, limits.idleTimeoutMs, () =>
      this.#input.interrupt('timeout'),
    );
    this.#budget = new ErrorBudget(limits);
    const messages = service.logsMessages === true ? new MessageLog() : null;
    // Reads the texts; what fails here must leave no timer behind, so the input comes after it.
    this.#replies = new Replies(this.#output, this.#budget, this.#tally, messages);
    this.#input = new SessionInput(connection, limits.loginTimeoutMs);
    const delay = new LoginDelay({
      starter: options.starter,
      firstMs: limits.failureDelayMs,
      input: this.#input,
      output: this.#output,
    });
    this.#context = {
      service,
      link: firstLink(security, options),
      peer,
      accessLevel,
      apopTimestamp,
      messages,
      ask: (challenge) => this.#ask(challenge),
      failLogin: () => {
        this.#budget.addFailedLogin();
        return delay.fail(this.#lineCameMs);
      },
      waitForVerdict: () => delay.succeed(),
      shouldStop: () => this.#input.isUnheard(),
      report: (event, fields) => service.log.write(event, { session: id, ...fields }),
    };
  }

  async run(): Promise<void> {
    const { peer, accessLevel, starter } = this.#options;
    const shutDown = (): void => this.#input.interrupt('signal');
    const leave = addRunning({ shutDown });
    starter.onKick(shutDown);
    starter.onEvict(() => {
      if (this.#state.name === 'AUTHORIZATION') this.#input.interruptAtOnce();
    });
    this.#context.report('connect', { peer, level: accessLevel });
    let reason: EndReason;
    try {
      reason = (await this.#greet()) ?? (await this.#converse());
    } catch (failure) {
      reason = this.#breakOff(failure);
    }
    leave();
    await this.#end(reason);
  }

  async #greet(): Promise<EndReason | null> {
    const { tls, isImplicit } = this.#service.security;
    if (isImplicit && tls !== null) {
      if (!(await this.#encrypt(tls))) return this.#input.interruption ?? 'error';
    } else {
      this.#input.attach(this.#connection);
    }
    if (!this.#options.isGreeted) this.#output.write(greetingWith(this.#options.apopTimestamp));
    return null;
  }

  /** Runs the commands in order, also when the peer is gone: one of them may be QUIT. */
  async #converse(): Promise<EndReason> {
    for (let count = 1; ; count += 1) {
      const step = this.#answer(this.#input.tryNext() ?? (await this.#nextAfterFlush()));
      const reason = step instanceof Promise ? await step : step;
      if (reason !== null) return reason;
      if (this.#output.isFull) await this.#output.flush();
      if (count % commandsPerTurn === 0) await nextTurn();
    }
  }

  /** Replies leave when there is nothing more to answer; by then there may be. */
  #nextAfterFlush(): Input | Promise<Input> {
    return after(this.#output.flush(), () => this.#input.next());
  }

  #answer(input: Input): Step {
    switch (input.kind) {
      case 'line':
        return this.#run(input.bytes);
      case 'too-long':
        return this.#reply(lineTooLong);
      case 'endless':
        void this.#replies.write(lineTooLong);
        return 'error';
      case 'over':
        return input.reason;
    }
  }

  #run(line: Buffer): Step {
    if (this.#state.name === 'AUTHORIZATION') this.#lineCameMs = performance.now();
    let outcome;
    try {
      outcome = runCommand(line, this.#state, this.#context);
    } catch (failure) {
      outcome = this.#failed(failure);
    }
    return outcome instanceof Promise ? this.#replyLater(outcome) : this.#reply(outcome);
  }

  async #replyLater(pending: Promise<Outcome>): Promise<EndReason | null> {
    return this.#reply(await pending.catch((failure: unknown) => this.#failed(failure)));
  }

  /** Of a command that could not be carried out. */
  #failed(failure: unknown): Outcome {
    if (failure instanceof CountingStopped) return { kind: 'broken-off' };
    this.#context.report('error', { error: (failure as Error).message });
    const isLoggedIn = this.#state.name === 'TRANSACTION';
    return error(isLoggedIn ? 'maildrop-unreadable' : 'internal-error', undefined, 'SYS/TEMP');
  }

  /** Writes what a command came to, and enters the state that it leads to. */
  #reply(outcome: Outcome): Step {
    switch (outcome.kind) {
      case 'enter-transaction':
        this.#enterTransaction(outcome.login);
        return null;
      case 'start-tls':
        return this.#startTls();
      case 'change-language':
        this.#replies.speak(new Texts(outcome.tag));
        this.#replies.status(true, { text: 'language-set', values: { tag: outcome.tag } });
        return null;
      case 'quit':
        this.#tally.removedCount = outcome.removedCount;
        this.#replies.status(outcome.isOk, outcome);
        return 'quit';
      case 'broken-off':
        return null;
      case 'ok':
      case 'error':
      case 'listing':
      case 'message':
        return this.#write(outcome);
    }
  }

  #write(reply: Reply): Step {
    const reason = (): EndReason | null => (this.#budget.excess === null ? null : 'error');
    return after(this.#replies.write(reply), reason);
  }

  /** Sends a challenge, and waits for the line that answers it. RFC 5034 §4. */
  async #ask(challenge: Buffer): Promise<Buffer | 'too-long' | null> {
    this.#replies.challenge(challenge);
    const input = this.#input.tryNext() ?? (await this.#nextAfterFlush());
    this.#lineCameMs = performance.now();
    if (input.kind === 'line') return input.bytes;
    return input.kind === 'too-long' ? 'too-long' : null;
  }

  #enterTransaction(login: Login): void {
    this.#state = { name: 'TRANSACTION', login };
    this.#budget.logIn();
    this.#input.logIn(this.#service.limits.idleTimeoutMs);
    const { identity, grant, mechanism, maildrop } = login;
    this.#options.starter.tellLogin(`${identity.user}@${identity.domain}`);
    this.#context.report('login', {
      user: `${identity.user}@${identity.domain}`,
      mechanism,
      tls: this.#context.link.tlsVersion ?? undefined,
      label: grant.label ?? undefined,
      messages: maildrop.records.length,
    });
    this.#replies.status(true, { text: 'logged-in', values: { count: maildrop.records.length } });
  }

  /** RFC 2595 §4: forgets the session so far and whatever was read before the handshake. */
  async #startTls(): Promise<EndReason | null> {
    const { tls } = this.#service.security;
    if (tls === null) return null;
    this.#input.detach();
    this.#replies.status(true, { text: 'begin-tls' });
    await this.#output.flush();
    if (!(await this.#encrypt(tls))) return this.#input.interruption ?? 'error';
    this.#state = { name: 'AUTHORIZATION', userName: null };
    this.#replies.speak(defaultTexts());
    return null;
  }

  /** @returns whether it worked; the connection is destroyed when not */
  async #encrypt(tls: ServerTls): Promise<boolean> {
    let socket;
    try {
      socket = await tls.accept(this.#connection, this.#service.limits.handshakeTimeoutMs);
    } catch (failure) {
      // A signal or a deadline closes the connection too; `logout` names it.
      if (this.#input.interruption === null) {
        const error = (failure as Error).message;
        this.#context.report('tls-failed', { peer: this.#options.peer, error });
      }
      return false;
    }
    this.#connection = socket;
    this.#output.switchTo(socket);
    this.#context = { ...this.#context, link: encryptedLink(socket, this.#service.security) };
    this.#input.attach(socket);
    return true;
  }

  /** Sends no terminator: it would make half a message look whole. Other sessions go on. */
  #breakOff(failure: unknown): EndReason {
    const isPeerGone = failure instanceof BrokenOff && this.#output.isDead;
    this.#connection.destroy();
    if (isPeerGone) return this.#input.interruption ?? 'disconnect';
    const isExpected = failure instanceof BrokenOff;
    const text = failure instanceof Error && !isExpected ? failure.stack : String(failure);
    this.#context.report('error', { error: text ?? String(failure) });
    return 'error';
  }

  /** Only QUIT has removed anything by now. RFC 1939 §6. */
  async #end(reason: EndReason): Promise<void> {
    const { messages, report } = this.#context;
    if (reason === 'signal') {
      this.#replies.status(false, { text: 'shutting-down', code: 'SYS/TEMP' });
    }
    await this.#output.flush();
    const login = this.#state.name === 'TRANSACTION' ? this.#state.login : null;
    const maildrop = login?.maildrop ?? null;
    if (login !== null) {
      const user = `${login.identity.user}@${login.identity.domain}`;
      await messages?.write(login.maildrop, (fields) => report('message', { user, ...fields }));
    }
    report('logout', this.#tally.fields(reason, maildrop, this.#startedMs));
    await maildrop?.close();
    this.#input.close();
    // A client that did not log in is not waited for.
    if (reason === 'signal' && maildrop === null) await closeSoon(this.#connection);
    else await closeGently(this.#connection);
  }
}
