// One connection to a socket of Dovecot's auth service: many questions at a time, each with a
// number and a time within which its answer must come. Connects when it is needed, and anew after a
// loss.

import { connect, type Socket } from 'node:net';
import { SourceUnavailable } from '../accounts/account-source.js';
import { formatAuthLine, parseAuthLine, type AuthLine } from './auth-fields.js';

export interface AuthDialect {
  /** Path of the socket. */
  readonly path: string;
  /** What is sent first. */
  greeting(): readonly (readonly string[])[];
  /** The word after which questions may be sent; null: at once. */
  readonly readyAt: string | null;
  /** The words of lines that answer a question, whose number is the next word. */
  readonly answers: readonly string[];
  /** What withdraws a question whose answer is not waited for any more; null: nothing does. */
  readonly cancel: string | null;
}

interface Waiting {
  answer(line: AuthLine): void;
  fail(error: SourceUnavailable): void;
}

interface Open {
  readonly socket: Socket;
  readonly ready: Promise<void>;
  readonly waiting: Map<string, Waiting>;
}

/** Auth replies are short; more without a line's end is no auth service. */
const maxBuffered = 65_536;
/** Dovecot numbers its requests with 32 bits, and takes none twice. */
const maxNumber = 0x7fff_ffff;

export class AuthConnection {
  readonly #dialect: AuthDialect;
  #open: Open | undefined;
  #lastNumber = 0;
  #isClosed = false;

  constructor(dialect: AuthDialect) {
    this.#dialect = dialect;
  }

  /**
   * Asks `word NUMBER …words` and waits for the line that answers that number.
   *
   * @throws SourceUnavailable; lasting where the socket may not be opened
   */
  async ask(word: string, words: readonly string[], withinMs: number): Promise<AuthLine> {
    const untilMs = performance.now() + withinMs;
    const open = (this.#open ??= this.#connect());
    // What waits keeps the process alive; a connection that nobody uses does not.
    open.socket.ref();
    try {
      await this.#within(open, untilMs - performance.now(), open.ready);
      this.#lastNumber = this.#lastNumber >= maxNumber ? 1 : this.#lastNumber + 1;
      const number = String(this.#lastNumber);
      const answer = new Promise<AuthLine>((resolve, reject) => {
        open.waiting.set(number, { answer: resolve, fail: reject });
      });
      try {
        open.socket.write(formatAuthLine([word, number, ...words]));
        return await this.#within(open, untilMs - performance.now(), answer);
      } finally {
        const isAnswered = !open.waiting.delete(number);
        const { cancel } = this.#dialect;
        if (!isAnswered && cancel !== null && open.socket.writable) {
          open.socket.write(formatAuthLine([cancel, number]));
        }
      }
    } finally {
      if (open.waiting.size === 0) open.socket.unref();
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#open?.socket.destroy();
  }

  async #within<T>(open: Open, ms: number, work: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const expired = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => {
          // Whoever does not answer one does not answer the next: those begin with a connection of
          // their own.
          this.#forget(open);
          reject(new SourceUnavailable(`${this.#dialect.path}: no answer in time`, false));
        },
        Math.max(0, ms),
      );
    });
    try {
      return await Promise.race([work, expired]);
    } finally {
      clearTimeout(timer);
      work.catch(() => undefined);
    }
  }

  #forget(open: Open): void {
    if (this.#open === open) this.#open = undefined;
    if (open.waiting.size <= 1) open.socket.destroy();
  }

  #connect(): Open {
    if (this.#isClosed) throw new SourceUnavailable('the password database was closed', false);
    const { path, readyAt } = this.#dialect;
    const socket = connect({ path });
    const waiting = new Map<string, Waiting>();
    let buffered = '';
    const ready = new Promise<void>((resolve, reject) => {
      const fail = (error: SourceUnavailable): void => {
        if (this.#open?.socket === socket) this.#open = undefined;
        reject(error);
        for (const question of waiting.values()) question.fail(error);
        waiting.clear();
      };
      socket.setEncoding('utf8');
      socket.on('connect', () => {
        for (const words of this.#dialect.greeting()) socket.write(formatAuthLine(words));
        if (readyAt === null) resolve();
      });
      socket.on('error', (error: NodeJS.ErrnoException) => {
        fail(new SourceUnavailable(`${path}: ${error.message}`, error.code === 'EACCES'));
      });
      socket.on('close', () => {
        fail(new SourceUnavailable(`${path}: Dovecot closed the connection`, false));
      });
      socket.on('data', (text: string) => {
        const lines = (buffered + text).split('\n');
        buffered = lines.pop() ?? '';
        for (const line of lines.map(parseAuthLine)) {
          if (line.word === readyAt) resolve();
          if (line.word === 'VERSION' && line.words[0] !== '1') {
            socket.destroy(new Error(`auth protocol ${line.words[0] ?? ''} is not known`));
          }
          if (!this.#dialect.answers.includes(line.word)) continue;
          const [number = ''] = line.words;
          waiting.get(number)?.answer(line);
          waiting.delete(number);
        }
        if (buffered.length > maxBuffered) socket.destroy(new Error('no auth service'));
      });
    });
    ready.catch(() => undefined);
    return { socket, ready, waiting };
  }
}
