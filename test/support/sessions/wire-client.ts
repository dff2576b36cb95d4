// A POP3 client for program tests, over any pair of streams. It shares no code with src/wire, so that a fault there
// cannot hide itself, and it is strict: lines must end in CRLF and status lines must be +OK or -ERR.

import { connect } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { deadline } from '../suite/deadline.js';

const readDeadlineMs = 30_000;
const terminator = Buffer.from('\r\n.\r\n');

/** Connects to a TCP port of the loopback interface. @param from the address to come from; by default the system's choice */
export async function connectWireClient(
  port: number,
  host = '127.0.0.1',
  from?: string,
): Promise<WireClient> {
  const socket = connect({ port, host, ...(from === undefined ? {} : { localAddress: from }) });
  await new Promise((resolve, reject) => {
    socket.once('connect', resolve).once('error', reject);
  });
  return new WireClient(socket, socket);
}

/** Logs in on a connection of its own. @returns the reply to PASS */
export async function replyToLogin(port: number, user: string, password: string): Promise<string> {
  const client = await connectWireClient(port);
  try {
    await client.status();
    await client.ok(`USER ${user}`);
    return await client.command(`PASS ${password}`);
  } finally {
    client.destroy();
  }
}

export class WireClient {
  readonly #input: Readable;
  readonly #output: Writable;
  readonly #patienceMs: number;
  #bytes = Buffer.alloc(65_536);
  #start = 0;
  #end = 0;
  #isEnded = false;
  #lastCommand = '';
  #onChange: () => void = () => undefined;

  /** @param input what the server sends @param output where commands go @param patienceMs for each reply */
  constructor(input: Readable, output: Writable, patienceMs = readDeadlineMs) {
    this.#input = input;
    this.#output = output;
    this.#patienceMs = patienceMs;
    input.on('data', (chunk: Buffer) => {
      this.#append(chunk);
      this.#onChange();
    });
    const ended = (): void => {
      this.#isEnded = true;
      this.#onChange();
    };
    input.on('end', ended).on('close', ended).on('error', ended);
    output.on('error', () => undefined);
  }

  /** Sends bytes as they are. */
  write(bytes: string | Buffer): void {
    this.#output.write(bytes);
  }

  /** Sends a command and CRLF, and reads the status line. @returns it, without CRLF, latin1 */
  async command(line: string): Promise<string> {
    this.#lastCommand = line;
    this.write(Buffer.from(`${line}\r\n`, 'latin1'));
    return this.status();
  }

  /** As `command`, for one that must succeed. @throws Error that has both lines when the answer is -ERR */
  async ok(line: string): Promise<string> {
    const status = await this.command(line);
    if (!status.startsWith('+OK')) throw new Error(`${line}: ${status}`);
    return status;
  }

  /** Reads the greeting and logs in with USER and PASS. */
  async login(user: string, password: string): Promise<void> {
    await this.status();
    await this.ok(`USER ${user}`);
    await this.ok(`PASS ${password}`);
  }

  /** Sends a command that must be answered with +OK and lines. @returns the lines, latin1, dots unstuffed */
  async listing(line: string): Promise<string[]> {
    await this.ok(line);
    const text = (await this.multiline()).toString('latin1');
    return text === '' ? [] : text.slice(0, -2).split('\r\n');
  }

  /** Sends RETR or TOP, which must succeed. @returns the message, unstuffed, without the terminator */
  async message(line: string): Promise<Buffer> {
    await this.ok(line);
    return this.multiline();
  }

  /** Reads a status line. @throws Error for anything but +OK or -ERR */
  async status(): Promise<string> {
    const line = await this.line();
    if (!/^(?:\+OK|-ERR)(?: |$)/.test(line)) throw new Error(`no status line: ${line}`);
    return line;
  }

  /** As `status`, where a SASL challenge may come instead. RFC 5034 §4. */
  async statusOrChallenge(): Promise<string> {
    const line = await this.line();
    if (!/^(?:\+OK|-ERR|\+)(?: |$)/.test(line)) throw new Error(`no status line: ${line}`);
    return line;
  }

  /** Reads a line. @returns it without CRLF, latin1 @throws Error when it ends in a bare LF or never ends */
  async line(): Promise<string> {
    const length = await this.#find(Buffer.from('\n'), 0);
    const line = this.#take(length).toString('latin1');
    if (!line.endsWith('\r\n')) throw new Error(`a line without CR: ${JSON.stringify(line)}`);
    return line.slice(0, -2);
  }

  /** Reads the rest of a multi-line reply. @returns it with CRLF line ends, unstuffed, without the terminator */
  async multiline(): Promise<Buffer> {
    await this.#wait(() => this.#held().length >= 3);
    if (this.#held().subarray(0, 3).equals(terminator.subarray(2))) {
      this.#take(3);
      return Buffer.alloc(0);
    }
    const length = await this.#find(terminator, 0);
    return unstuff(this.#take(length).subarray(0, -3));
  }

  /** Reads all that comes until the server closes. */
  async rest(): Promise<Buffer> {
    await this.#wait(() => this.#isEnded);
    return this.#take(this.#held().length);
  }

  /** Ends the client's side. Over a socket the server can still answer. */
  end(): void {
    this.#output.end();
  }

  /** Drops the connection at once. */
  destroy(): void {
    this.#input.destroy();
    this.#output.destroy();
  }

  #held(): Buffer {
    return this.#bytes.subarray(this.#start, this.#end);
  }

  #take(length: number): Buffer {
    const taken = Buffer.from(this.#held().subarray(0, length));
    this.#start += length;
    return taken;
  }

  #append(chunk: Buffer): void {
    if (this.#end + chunk.length > this.#bytes.length) {
      const held = this.#held();
      const larger = Buffer.alloc(Math.max(65_536, 2 * (held.length + chunk.length)));
      this.#end = held.copy(larger);
      this.#start = 0;
      this.#bytes = larger;
    }
    this.#end += chunk.copy(this.#bytes, this.#end);
  }

  /** @returns the number of octets up to and with `wanted` */
  async #find(wanted: Buffer, from: number): Promise<number> {
    let searched = from;
    let at = -1;
    await this.#wait(() => {
      // More may arrive between the find and whoever waits for it.
      if (at !== -1) return true;
      at = this.#held().indexOf(wanted, searched);
      searched = Math.max(0, this.#held().length - wanted.length);
      return at !== -1;
    });
    return at + wanted.length;
  }

  async #wait(isThere: () => boolean): Promise<void> {
    const arrived = new Promise<void>((resolve, reject) => {
      this.#onChange = () => {
        if (isThere()) resolve();
        else if (this.#isEnded) reject(new Error(`the server closed after: ${this.#excerpt()}`));
      };
      this.#onChange();
    });
    await deadline(arrived, this.#patienceMs, () => this.#stillWaiting());
  }

  #stillWaiting(): string {
    return `still waiting after "${this.#lastCommand}" and then: ${this.#excerpt()}`;
  }

  #excerpt(): string {
    return JSON.stringify(this.#held().subarray(0, 200).toString('latin1'));
  }
}

/** Removes the dot that byte-stuffing put before lines that start with one (RFC 1939 §3). */
function unstuff(stuffed: Buffer): Buffer {
  const pieces: Buffer[] = [];
  let from = stuffed[0] === 0x2e ? 1 : 0;
  for (;;) {
    const at = stuffed.indexOf('\r\n.', from);
    if (at === -1) break;
    pieces.push(stuffed.subarray(from, at + 2));
    from = at + 3;
  }
  return Buffer.concat([...pieces, stuffed.subarray(from)]);
}
