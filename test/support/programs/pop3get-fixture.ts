// For tests of pop3get: a POP3 server in this process that misbehaves as told, a Maildir, and the built program.

import { mkdirSync, readdirSync, readFileSync, rmSync, mkdtempSync } from 'node:fs';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { createSecureContext, TLSSocket, type SecureContextOptions } from 'node:tls';
import { startProgram, type Result, type Teardown } from './run-program.js';

export interface FakeMessage {
  /** Null: the message has no line in UIDL. */
  readonly uniqueId: string | null;
  /** As it goes over the wire, CRLF line ends, not byte-stuffed. */
  readonly content: Buffer;
}

/** What the server does instead of the right thing; undefined: the right thing. Text and bytes are sent as they are. */
export type Fault = string | Buffer | typeof drop | typeof silence | undefined;

/** A fault: the connection is reset. */
export const drop = Symbol('drop');
/** A fault: no command of this connection is answered any more. */
export const silence = Symbol('silence');

/** A fault: the connection is closed once what was sent has arrived. */
export function hangUp(socket: Socket): Fault {
  socket.end();
  return silence;
}

export interface FakeServerOptions {
  readonly messages: readonly FakeMessage[];
  readonly capabilities?: readonly string[];
  readonly greeting?: string | Buffer;
  /** Whether UIDL is known. */
  readonly hasUidl?: boolean;
  /** Of lines that come in one piece only the first is read, whatever was announced; with a keyword, none behind that one. */
  readonly dropsLinesAhead?: true | 'RETR';
  /** What STLS is answered with; without it there is none. */
  readonly tls?: SecureContextOptions;
  /** 127.0.0.1 and a free port by default. */
  readonly host?: string;
  readonly port?: number;
  /** Asked for every command line, e.g. `RETR 2`; the session counts connections from 1. */
  readonly fault?: (line: string, session: number, socket: Socket, turn: Turn) => Fault;
}

/** Where a session stands when a command comes. */
export interface Turn {
  /** The messages of this session, numbered from 1. */
  readonly listed: readonly FakeMessage[];
  /** Does what the command says and returns the right reply; QUIT deletes only without a fault. */
  readonly answer: () => string | Buffer;
}

export class FakeServer {
  messages: FakeMessage[];
  /** Every command line of every session. */
  readonly commands: string[] = [];
  /** Those that came without TLS. */
  readonly clearCommands: string[] = [];
  /** What TLS handshakes named as the server, "" for nothing. RFC 6066 §3. */
  readonly serverNames: string[] = [];
  sessions = 0;
  port = 0;
  readonly #options: FakeServerOptions;

  constructor(options: FakeServerOptions) {
    this.#options = options;
    this.messages = [...options.messages];
  }

  serve(socket: Socket): void {
    this.sessions += 1;
    socket.write(this.#options.greeting ?? '+OK ready\r\n');
    this.#converse(socket, socket, this.sessions);
  }

  /** @param stream the connection, or the TLS on it */
  #converse(stream: Duplex, socket: Socket, session: number): void {
    const listed = [...this.messages];
    const deleted = new Set<number>();
    stream.on('error', () => undefined);
    let text = '';
    let isSilent = false;
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      for (let end = text.indexOf('\r\n'); end !== -1 && !isSilent; end = text.indexOf('\r\n')) {
        const line = text.slice(0, end);
        const { dropsLinesAhead: drops } = this.#options;
        const isDropping = drops === true || (drops !== undefined && line.startsWith(drops));
        text = isDropping ? '' : text.slice(end + 2);
        this.commands.push(line);
        if (stream === socket) this.clearCommands.push(line);
        const turn = { listed, answer: () => this.#answer(line, listed, deleted) };
        const fault = this.#options.fault?.(line, session, socket, turn);
        if (fault === drop) socket.resetAndDestroy();
        if (fault === silence) isSilent = true;
        if (fault === drop || fault === silence) return;
        const { tls } = this.#options;
        if (line === 'STLS' && fault === undefined && tls !== undefined) {
          socket.write('+OK\r\n');
          socket.removeAllListeners('data');
          const secured = protect(socket, tls);
          secured.once('secure', () => this.serverNames.push(secured.servername || ''));
          this.#converse(secured, socket, session);
          return;
        }
        stream.write(fault ?? this.#answer(line, listed, deleted));
        if (line === 'QUIT' && fault === undefined) {
          this.messages = this.messages.filter(
            (message) => !deleted.has(listed.indexOf(message) + 1),
          );
          stream.end();
        }
      }
    });
  }

  #answer(line: string, listed: readonly FakeMessage[], deleted: Set<number>): string | Buffer {
    const [keyword = '', argument] = line.split(' ');
    const number = Number(argument);
    const message = listed[number - 1];
    switch (keyword) {
      case 'CAPA':
        return `+OK\r\n${[...(this.#options.capabilities ?? ['USER', 'PIPELINING', 'UIDL', 'TOP']), '.'].join('\r\n')}\r\n`;
      case 'LIST': {
        const lines = listed.map(({ content }, index) => `${index + 1} ${content.length}`);
        if (argument !== undefined) return `+OK ${lines[number - 1] ?? ''}\r\n`;
        return `+OK\r\n${[...lines, '.'].join('\r\n')}\r\n`;
      }
      case 'UIDL': {
        if (this.#options.hasUidl === false) return '-ERR what?\r\n';
        const lines = listed.map(({ uniqueId }, index) =>
          uniqueId === null ? null : `${index + 1} ${uniqueId}`,
        );
        if (argument !== undefined) {
          const one = lines[number - 1];
          return one === null || one === undefined ? '-ERR none\r\n' : `+OK ${one}\r\n`;
        }
        return `+OK\r\n${[...lines.filter((one) => one !== null), '.'].join('\r\n')}\r\n`;
      }
      case 'RETR':
        if (message === undefined) return '-ERR no such message\r\n';
        return reply(message.content);
      case 'TOP': {
        if (message === undefined) return '-ERR no such message\r\n';
        const [header = '', body = ''] = message.content
          .toString('latin1')
          .split(/(?<=\r\n)\r\n([^]*)/);
        const lines = body.split(/(?<=\r\n)/).slice(0, Number(line.split(' ')[2]));
        return reply(Buffer.from(`${header}\r\n${lines.join('')}`, 'latin1'));
      }
      case 'STAT':
        return `+OK ${listed.length} ${listed.reduce((sum, { content }) => sum + content.length, 0)}\r\n`;
      case 'DELE':
        deleted.add(number);
        return '+OK\r\n';
      case 'USER':
      case 'PASS':
      case 'NOOP':
      case 'QUIT':
        return '+OK\r\n';
      default:
        return '-ERR what?\r\n';
    }
  }
}

function protect(socket: Socket, tls: SecureContextOptions): TLSSocket {
  return new TLSSocket(socket, { isServer: true, secureContext: createSecureContext(tls) });
}

/** A whole, right reply to RETR. */
export function reply(content: Buffer): Buffer {
  const stuffed = content.toString('latin1').replace(/(^|\r\n)\./g, '$1..');
  return Buffer.from(`+OK\r\n${stuffed}${stuffed.endsWith('\r\n') ? '' : '\r\n'}.\r\n`, 'latin1');
}

export async function startFakeServer(
  t: Teardown,
  options: FakeServerOptions,
): Promise<FakeServer> {
  const fake = new FakeServer(options);
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    fake.serve(socket);
  });
  const { host = '127.0.0.1', port = 0 } = options;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, host, resolve);
  });
  fake.port = (server.address() as AddressInfo).port;
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return fake;
}

/** An ordinary message whose text tells which one it is. */
export function numberedMessage(
  number: number,
  uniqueId: string | null = `id-${number}`,
): FakeMessage {
  const content = `Subject: message ${number}\r\n\r\nThis is number ${number}.\r\n.dot\r\n`;
  return { uniqueId, content: Buffer.from(content) };
}

export function numberedMessages(count: number): FakeMessage[] {
  return Array.from({ length: count }, (_, index) => numberedMessage(index + 1));
}

/** A new, empty Maildir that the test's teardown removes. */
export function makeMaildir(t: Teardown, parent = tmpdir()): string {
  const path = mkdtempSync(join(parent, 'pop3get-'));
  for (const folder of ['tmp', 'new', 'cur']) mkdirSync(join(path, folder));
  t.teardown(async () => {
    rmSync(path, { recursive: true, force: true });
    await Promise.resolve();
  });
  return path;
}

/** What is in new and cur, trace headers taken off, CRLF line ends, in delivery order. */
export function storedContents(maildir: string): readonly string[] {
  return ['new', 'cur'].flatMap((folder) =>
    readdirSync(join(maildir, folder))
      .sort()
      .map((name) => readFileSync(join(maildir, folder, name), 'latin1'))
      .map((text) =>
        text.replace(/^Received: [^\n]*\n\t[^\n]*\n\t[^\n]*\n/, '').replace(/\n/g, '\r\n'),
      ),
  );
}

/** The same messages, whatever order they were stored in. */
export function sortedContents(messages: readonly FakeMessage[]): readonly string[] {
  return messages.map(({ content }) => content.toString('latin1')).sort();
}

/** Runs pop3get against a port of 127.0.0.1 as user "ann" with password "secret". */
export async function runPop3get(
  t: Teardown,
  port: number,
  maildir: string,
  args: readonly string[] = [],
): Promise<Result> {
  const words = ['--port', String(port), '--directory', maildir, ...args, '127.0.0.1', 'ann'];
  const program = startProgram(t, 'pop3get', words, { env: { POP3GET_PASSWORD: 'secret' } });
  return program.finish('', 60_000);
}
