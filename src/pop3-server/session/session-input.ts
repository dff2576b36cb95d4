// What a session waits for: the next line, or the reason why there will be none. Holds back a peer
// that sends faster than its commands are run. RFC 1939 §3.

import type { Connection } from '../../system/descriptors/connection.js';
import { Pause } from '../../system/runtime/pause.js';
import { LineReader, type LineEvent } from '../../wire/line-reader.js';
import { maxAuthLineOctets } from '../../wire/limits.js';
import { Deadline } from './deadline.js';

/** What ends a session from outside, between two commands. */
export type Interruption = 'timeout' | 'signal';

export type Input =
  | LineEvent
  /** No line will come any more; asked again, the input says the same. */
  | { readonly kind: 'over'; readonly reason: Interruption | 'disconnect' };

/** Input that may wait while a command runs; beyond it the connection is not read. */
const maxWaitingOctets = 16 * 1024;

const disconnected: Input = { kind: 'over', reason: 'disconnect' };

export class SessionInput {
  readonly #reader = new LineReader(maxAuthLineOctets);
  readonly #deadline: Deadline;
  #connection: Connection;
  /** False during a TLS handshake, when the octets are not lines. */
  #isAttached = false;
  #hasEnded = false;
  #interruption: Interruption | null = null;
  /** Null before the login, when the deadline is fixed. */
  #idleTimeoutMs: number | null = null;
  /** Takes the next input, while somebody waits for it. */
  #taker: ((input: Input) => void) | null = null;
  readonly #pause = new Pause();
  #isPausing = false;

  /** @param loginTimeoutMs from now to `logIn`; what arrives in between does not extend it */
  constructor(connection: Connection, loginTimeoutMs: number) {
    this.#connection = connection;
    this.#deadline = new Deadline(() => this.#onDue());
    this.#deadline.set(loginTimeoutMs);
  }

  /** Why the session has to end; null while it need not. */
  get interruption(): Interruption | null {
    return this.#interruption;
  }

  /**
   * Begins to read lines.
   *
   * @param connection the one given before, or the encrypted stream over it
   */
  attach(connection: Connection): void {
    this.#connection = connection;
    this.#isAttached = true;
    connection.on('data', this.#onData);
    connection.on('end', this.#onEnd);
    connection.on('close', this.#onClose);
    // The peer's resets and our broken pipes close a socket; an alert after the handshake, such as
    // a client's that does not trust the certificate, does not.
    connection.on('error', () => connection.destroy());
    // A peer may close together with the last octets of its handshake: nobody was listening then.
    if (connection.readableEnded || connection.destroyed) this.#onClose();
  }

  /** Reads no more lines, and throws away what was read and not taken. */
  detach(): void {
    this.#connection.pause();
    this.#leave();
    while (this.#connection.read() !== null);
  }

  /** Throws away the lines that wait. */
  discard(): void {
    this.#reader.takeRest();
  }

  /** From now on each command has to come within so many milliseconds. RFC 1939 §3. */
  logIn(idleTimeoutMs: number): void {
    this.#idleTimeoutMs = idleTimeoutMs;
  }

  /**
   * The session is over: no timer is left. The connection goes on as it did, to be closed at once:
   * pausing it and going on costs as much as a command.
   */
  close(): void {
    this.#deadline.clear();
    this.#leave();
  }

  /**
   * What can be had without waiting. Lines that came before the peer closed its side come before
   * the end.
   */
  tryNext(): Input | null {
    if (this.#interruption !== null) return { kind: 'over', reason: this.#interruption };
    if (!this.#hasEnded) return this.#reader.next();
    this.#startIdling();
    return this.#reader.next() ?? disconnected;
  }

  /**
   * Whether nobody waits for an answer that is long in coming. A peer that only closed its side may
   * wait, but it looks the same as one that is gone: after the idle timeout its session is ended.
   */
  isUnheard(): boolean {
    if (this.#hasEnded && this.#deadline.hasPassed) this.interrupt('timeout');
    return this.#interruption !== null || this.#connection.destroyed;
  }

  /**
   * Waits for the next line. Octets that are no whole line do not keep a session alive. RFC 1939
   * §3.
   */
  next(): Promise<Input> {
    const next = this.tryNext();
    if (next !== null) return Promise.resolve(next);
    this.#startIdling();
    if (this.#connection.isPaused()) this.#connection.resume();
    return new Promise((resolve) => (this.#taker = resolve));
  }

  /** Waits for `ms` milliseconds; not if the session is to end or the peer is gone. */
  async pause(ms: number): Promise<void> {
    if (ms <= 0 || this.#interruption !== null || this.#connection.destroyed) return;
    this.#isPausing = true;
    await this.#pause.last(ms);
    this.#isPausing = false;
  }

  /**
   * Ends the session between two commands. A handshake is not waited for; a timeout closes at once.
   */
  interrupt(why: Interruption): void {
    this.#interruption ??= why;
    if (why === 'timeout' || !this.#isAttached) this.#connection.destroy();
    this.#pause.end();
    this.#offer();
  }

  /**
   * Like a signal, but neither a password being verified nor a client that does not read is waited
   * for.
   */
  interruptAtOnce(): void {
    if (this.#taker === null && !this.#isPausing) this.#connection.destroy();
    this.interrupt('signal');
  }

  #leave(): void {
    const connection = this.#connection;
    this.#isAttached = false;
    connection.off('data', this.#onData);
    connection.off('end', this.#onEnd);
    connection.off('close', this.#onClose);
    this.discard();
  }

  #startIdling(): void {
    if (this.#idleTimeoutMs !== null) this.#deadline.set(this.#idleTimeoutMs);
  }

  #offer(): void {
    const taker = this.#taker;
    const next = taker === null ? null : this.tryNext();
    if (taker === null || next === null) return;
    this.#taker = null;
    taker(next);
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#reader.push(chunk);
    if (this.#taker !== null) this.#offer();
    else if (this.#reader.waitingOctets > maxWaitingOctets) this.#connection.pause();
  };

  readonly #onEnd = (): void => {
    this.#hasEnded = true;
    this.#startIdling();
    this.#offer();
  };

  /** Unlike a peer that only closed its side, one that is gone waits for no answer. */
  readonly #onClose = (): void => {
    this.#pause.end();
    this.#onEnd();
  };

  #onDue(): void {
    // Work for a user who is logged in may take long, and waiting for them to read has a timer of
    // its own.
    if (this.#idleTimeoutMs !== null && this.#taker === null) return;
    this.interrupt('timeout');
  }
}
