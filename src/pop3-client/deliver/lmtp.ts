// An LMTP server as receiver. RFC 2033, RFC 5321 §4.2 (replies). One transaction after another on
// one connection, which is opened anew when it ends between two.

import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { hostname } from 'node:os';
import { ConfigurationError, TemporaryError } from '../../system/failures/failures.js';
import { describeConnectFailure, quoteServerText, StoreFailure } from '../settings/failures.js';
import { LmtpReplies, type LmtpReply } from './lmtp-replies.js';
import { terminator, type OutgoingMessage } from './outgoing-message.js';
import type { Receiver, Verdict } from './receiver.js';

export type LmtpAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'socket'; readonly path: string };

export interface LmtpOptions {
  readonly address: LmtpAddress;
  readonly recipient: string;
  /** For each reply but the last one. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** RFC 5321 §4.5.3.2.6: the server is at work on the message. */
const finalTimeoutMs = 600_000;

export class LmtpReceiver implements Receiver {
  readonly name: string;
  readonly #options: LmtpOptions;
  #socket: Socket | null = null;
  #replies: LmtpReplies | null = null;

  constructor(options: LmtpOptions) {
    const { address } = options;
    this.#options = options;
    this.name =
      address.kind === 'tcp' ? `lmtp:${address.host}:${address.port}` : `lmtp:${address.path}`;
  }

  async open(): Promise<void> {
    try {
      await this.#connect();
    } catch (error) {
      if (error instanceof ConfigurationError) throw error;
      throw new TemporaryError(describeConnectFailure(error, this.name));
    }
  }

  async hand(message: OutgoingMessage): Promise<Verdict> {
    const hadConnection = this.#socket !== null;
    const sent = { isWhole: false };
    try {
      return await this.#transact(message, sent);
    } catch (error) {
      this.close();
      if (sent.isWhole) {
        const reason = `${this.name} ended the connection before it said whether it took the message`;
        return { kind: 'undecided', reason };
      }
      // A server may have closed a connection that waited too long.
      if (hadConnection && !this.#options.signal.aborted) return this.hand(message);
      throw new StoreFailure(describeConnectFailure(error, this.name));
    }
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = null;
    this.#replies = null;
  }

  async #transact(message: OutgoingMessage, sent: { isWhole: boolean }): Promise<Verdict> {
    const replies = this.#replies ?? (await this.#connect());
    const sender = await message.sender();
    const { recipient } = this.#options;
    for (const [line, isReset] of [
      [`MAIL FROM:<${sender}>`, false],
      [`RCPT TO:<${recipient}>`, true],
      ['DATA', true],
    ] as const) {
      const reply = await this.#exchange(replies, line);
      if (reply.code < 400) continue;
      // A server that says no for good, with 421, closes the connection; its reason is what counts.
      if (isReset) await this.#exchange(replies, 'RSET').catch(() => this.close());
      return this.#verdict(reply, line.startsWith('RCPT') ? `the recipient ${recipient}` : 'it');
    }
    for await (const piece of message.stuffed()) await this.#write(piece);
    sent.isWhole = true;
    await this.#write(terminator);
    return this.#verdict(await replies.read(finalTimeoutMs), 'it');
  }

  #verdict(reply: LmtpReply, what: string): Verdict {
    if (reply.code < 300) return { kind: 'accepted' };
    const said = quoteServerText(`${reply.code} ${reply.text}`);
    return reply.code < 500
      ? { kind: 'later', reason: `${this.name} does not take ${what} now: ${said}` }
      : { kind: 'refused', reason: `${this.name} refuses ${what}: ${said}` };
  }

  async #connect(): Promise<LmtpReplies> {
    const { address, timeoutMs, signal } = this.#options;
    signal.throwIfAborted();
    const socket =
      address.kind === 'tcp'
        ? connect({ host: address.host, port: address.port })
        : connect({ path: address.path });
    this.#socket = socket;
    const replies = new LmtpReplies(socket, signal);
    this.#replies = replies;
    const greeting = await replies.read(timeoutMs);
    if (greeting.code !== 220) throw this.#unfit(greeting);
    const hello = await this.#exchange(
      replies,
      `LHLO ${hostname().replace(/[^A-Za-z0-9.-]/g, '') || 'localhost'}`,
    );
    if (hello.code !== 250) throw this.#unfit(hello);
    return replies;
  }

  #unfit({ code, text }: LmtpReply): Error {
    const message = `${this.name} is no LMTP server, or not ready: ${quoteServerText(`${code} ${text}`)}`;
    return code >= 500 ? new ConfigurationError(message) : new TemporaryError(message);
  }

  async #exchange(replies: LmtpReplies, line: string): Promise<LmtpReply> {
    await this.#write(Buffer.from(`${line}\r\n`));
    return replies.read(this.#options.timeoutMs);
  }

  async #write(piece: Buffer): Promise<void> {
    const socket = this.#socket;
    if (socket === null || socket.destroyed) throw new Error('the connection is closed');
    if (socket.write(piece)) return;
    await Promise.race([once(socket, 'drain'), once(socket, 'close')]);
  }
}
