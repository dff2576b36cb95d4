// A POP3 connection from the client's side: commands out, replies in. Knows nothing of Maildirs or
// journals.

import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { parseCapability } from '../../wire/capability.js';
import { formatCommandLine } from '../../wire/command-line.js';
import type { Response } from '../../wire/response.js';
import { ByteSource } from './byte-source.js';
import { ConnectionLost, InsecureServer, LostStep } from '../settings/failures.js';
import { ReplyReader } from './reply-reader.js';

/** Upper-cased names with their parameters; empty for a server without CAPA. RFC 2449. */
export type Capabilities = ReadonlyMap<string, readonly string[]>;

const maxCapabilities = 200;
const capabilityLimits = { maxLineOctets: 1024, maxOctets: 65_536 };

export class Pop3Client {
  readonly #timeoutMs: number;
  readonly #signal: AbortSignal;
  #stream: Duplex;
  #source: ByteSource;
  #replies: ReplyReader;

  /**
   * @param signal ends the connection when it aborts; its reason goes to whoever waits for a reply
   */
  constructor(stream: Duplex, timeoutMs: number, signal: AbortSignal) {
    this.#timeoutMs = timeoutMs;
    this.#signal = signal;
    this.#stream = stream;
    this.#source = new ByteSource(stream);
    this.#replies = new ReplyReader(this.#source, timeoutMs);
    signal.addEventListener('abort', this.#onAbort);
    if (signal.aborted) this.#onAbort();
  }

  get replies(): ReplyReader {
    return this.#replies;
  }

  /** The connection's TLS, for channel binding; null in clear. */
  get tls(): TLSSocket | null {
    return this.#stream instanceof TLSSocket ? this.#stream : null;
  }

  /** Sends whole command lines or SASL lines as they are. */
  send(lines: string | Buffer): void {
    this.#stream.write(lines);
    this.#stream.uncork();
  }

  /** Sends a command line in one packet with what is sent next. Its reply is passed over. */
  sendWithNext(line: string): void {
    this.#stream.cork();
    this.#stream.write(line);
    this.#replies.passOver();
  }

  /**
   * For when every reply that was due has been read.
   *
   * @throws LostStep when there are octets that nobody asked for: they would be taken for the next
   *   command's reply
   */
  expectSilence(): void {
    if (this.#replies.takeSurplus()) {
      throw new LostStep('the server sent more than it was asked for');
    }
  }

  /** Sends a command, no reply being due, and reads the first line of its reply. */
  async exchange(keyword: string, ...words: readonly (string | number)[]): Promise<Response> {
    return this.exchangeLine(formatCommandLine(keyword, ...words));
  }

  /** As `exchange`, for a command line that is formatted already. */
  async exchangeLine(line: string | Buffer): Promise<Response> {
    this.expectSilence();
    this.send(line);
    return this.#replies.readResponse();
  }

  /** Asks for the capabilities. An answer of -ERR is an empty map. */
  async readCapabilities(): Promise<Capabilities> {
    this.expectSilence();
    this.send(formatCommandLine('CAPA'));
    return this.readCapabilityReply();
  }

  /** Reads the reply to a CAPA that was sent. Lines beyond the 200th are passed over. */
  async readCapabilityReply(): Promise<Capabilities> {
    const capabilities = new Map<string, readonly string[]>();
    const response = await this.#replies.readResponse();
    if (!response.isOk) return capabilities;
    await this.#replies.readLines(capabilityLimits, (line) => {
      const capability = parseCapability(line);
      if (capability === null || capabilities.size >= maxCapabilities) return;
      capabilities.set(capability.name, capability.parameters);
    });
    return capabilities;
  }

  /**
   * Puts TLS on the connection once the server has agreed to STLS.
   *
   * @throws InsecureServer when the server sent more than its reply: it would be taken for
   *   protected (CVE-2021-38084's kind)
   */
  async upgrade(startTls: (plain: Duplex) => Promise<Duplex>): Promise<void> {
    const hadSurplus = this.#replies.takeSurplus();
    if (this.#source.detach() || hadSurplus) {
      this.destroy();
      throw new InsecureServer('the server sent data in clear after agreeing to STLS');
    }
    this.#stream = await startTls(this.#stream);
    this.#source = new ByteSource(this.#stream);
    this.#replies = new ReplyReader(this.#source, this.#timeoutMs);
  }

  /** Leaves at once, without QUIT: the server must then delete nothing (RFC 1939 §6). */
  destroy(): void {
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#source.abort(new ConnectionLost('the connection was given up'));
  }

  /** Closes after QUIT. */
  end(): void {
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#stream.end();
    this.#stream.destroy();
  }

  readonly #onAbort = (): void => this.#source.abort(this.#signal.reason as Error);
}
