// As much of an IMAP client (RFC 9051) as it takes to play another user of a mailstore. Lines only, no literals from the server.

import { connect, type Socket } from 'node:net';
import { deadline } from '../suite/deadline.js';

const answerDeadlineMs = 20_000;

export class ImapClient {
  readonly #socket: Socket;
  #text = '';
  #serial = 0;
  #onData: () => void = () => undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('latin1').on('data', (text: string) => {
      this.#text += text;
      this.#onData();
    });
    socket.on('close', () => {
      this.#onData();
    });
    socket.on('error', () => undefined);
  }

  /** Connects to 127.0.0.1, logs in and selects INBOX. Both names must need no quoting. */
  static async open(port: number, user: string, password: string): Promise<ImapClient> {
    const socket = connect({ port, host: '127.0.0.1' });
    const client = new ImapClient(socket);
    await client.#until(/^\* OK .*\r\n/);
    await client.command(`LOGIN "${user}" "${password}"`);
    await client.command('SELECT INBOX');
    return client;
  }

  /** Sends a command. @returns the untagged lines of the answer @throws Error that has the answer unless it is OK */
  async command(command: string): Promise<string[]> {
    this.#serial += 1;
    const tag = `a${this.#serial}`;
    this.#text = '';
    this.#socket.write(`${tag} ${command}\r\n`);
    await this.#until(new RegExp(`^${tag} .*\\r\\n`, 'm'));
    const lines = this.#text.trimEnd().split('\r\n');
    const status = lines.pop() ?? '';
    if (!status.startsWith(`${tag} OK`)) throw new Error(`${command}: ${this.#text}`);
    return lines;
  }

  /** Stores a message in INBOX, as a mail user agent does. */
  async append(message: Buffer): Promise<void> {
    await this.command(`APPEND INBOX {${message.length}+}\r\n${message.toString('latin1')}`);
  }

  /** The UIDs of all messages, in order. */
  async uids(): Promise<number[]> {
    await this.command('NOOP');
    const [line = ''] = (await this.command('UID SEARCH ALL')).filter((text) =>
      text.startsWith('* SEARCH'),
    );
    return [...line.matchAll(/ ([0-9]+)/g)].map(([, uid]) => Number(uid));
  }

  async logout(): Promise<void> {
    await this.command('LOGOUT');
    this.#socket.destroy();
  }

  async #until(pattern: RegExp): Promise<void> {
    const matched = new Promise<void>((resolve, reject) => {
      this.#onData = () => {
        if (pattern.test(this.#text)) resolve();
        else if (this.#socket.closed) reject(new Error(`closed after: ${this.#text}`));
      };
      this.#onData();
    });
    await deadline(matched, answerDeadlineMs, () => `still waiting after: ${this.#text}`);
  }
}
