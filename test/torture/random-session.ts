// One POP3 session that does random things and checks every answer against what the messages must be.

import type { WireClient } from '../support/sessions/wire-client.js';
import type { Ledger } from './ledger.js';
import { octetsOf, sentContentOf, serialOf } from './numbered-message.js';

const commandsPerSession = 25;

export interface SessionCounts {
  commands: number;
  retrieved: number;
  removed: number;
}

export class RandomSession {
  readonly #client: WireClient;
  readonly #ledger: Ledger;
  readonly #random: (limit: number) => number;
  readonly #counts: SessionCounts;
  /** Serial numbers by message number. */
  readonly #serials = new Map<number, number>();
  readonly #marked = new Set<number>();
  /** Message numbers that the session has called gone. */
  readonly #gone = new Set<number>();

  constructor(
    client: WireClient,
    ledger: Ledger,
    random: (limit: number) => number,
    counts: SessionCounts,
  ) {
    this.#client = client;
    this.#ledger = ledger;
    this.#random = random;
    this.#counts = counts;
  }

  /** Serial numbers of what is marked. */
  get marked(): readonly number[] {
    return [...this.#marked].map((number) => this.#expectSerial(number));
  }

  /** Logs in, works, and quits or drops the connection. @throws Error with what was wrong */
  async run(user: string, password: string): Promise<void> {
    const fromNs = process.hrtime.bigint();
    await this.#client.login(user, password);
    for (const line of await this.#client.listing('UIDL')) {
      const [number = '', uniqueId = ''] = line.split(' ');
      this.#serials.set(Number(number), serialOf(uniqueId));
    }
    this.#ledger.noteOpening(fromNs, process.hrtime.bigint(), this.#serials.values());
    for (let count = 0; count < commandsPerSession; count += 1) {
      this.#counts.commands += 1;
      await this.#command();
    }
    if (this.#random(3) === 0) this.#client.destroy();
    else await this.#quit();
  }

  async #command(): Promise<void> {
    const number = this.#draw();
    switch (this.#random(8)) {
      case 0:
        return this.#list();
      case 1:
        return this.#stat();
      case 2:
      case 3:
        return this.#dele(number);
      case 4:
        if (this.#random(4) === 0) await this.#rset();
        return;
      case 5:
        return this.#listOne(number);
      default:
        return this.#retr(number);
    }
  }

  #draw(): number {
    const numbers = [...this.#serials.keys()];
    return numbers[this.#random(numbers.length)] ?? 1;
  }

  async #list(): Promise<void> {
    const listed = new Set<number>();
    for (const line of await this.#client.listing('LIST')) {
      const [number = 0, octets = 0] = line.split(' ').map(Number);
      const serial = this.#expectSerial(number);
      if (octets !== octetsOf(serial)) throw new Error(`LIST says "${line}" of message ${serial}`);
      if (this.#marked.has(number)) throw new Error(`LIST shows ${number}, which is marked`);
      if (this.#gone.has(number)) throw new Error(`LIST shows ${number}, which was gone`);
      listed.add(number);
    }
    for (const number of this.#serials.keys()) {
      if (!listed.has(number) && !this.#marked.has(number)) this.#noteGone(number);
    }
  }

  async #stat(): Promise<void> {
    const [, count = 0] = (await this.#client.ok('STAT')).split(' ').map(Number);
    const limit = this.#serials.size - this.#marked.size;
    if (count > limit) throw new Error(`STAT counts ${count} of at most ${limit} messages`);
  }

  async #listOne(number: number): Promise<void> {
    const answer = await this.#client.command(`LIST ${number}`);
    const octets = octetsOf(this.#expectSerial(number));
    if (answer.startsWith('-ERR')) this.#noteGone(number);
    else if (!answer.startsWith(`+OK ${number} ${octets}`))
      throw new Error(`LIST ${number}: ${answer}`);
  }

  async #retr(number: number): Promise<void> {
    const serial = this.#expectSerial(number);
    const answer = await this.#client.command(`RETR ${number}`);
    if (answer.startsWith('-ERR')) {
      this.#noteGone(number);
      return;
    }
    const message = (await this.#client.multiline()).toString('latin1');
    if (message !== sentContentOf(serial))
      throw new Error(`RETR ${number} is not ${serial}: ${message}`);
    if (!answer.includes(` ${message.length} `)) throw new Error(`RETR ${number}: ${answer}`);
    this.#counts.retrieved += 1;
  }

  async #dele(number: number): Promise<void> {
    const answer = await this.#client.command(`DELE ${number}`);
    if (answer.startsWith('-ERR')) this.#noteGone(number);
    else this.#marked.add(number);
  }

  async #rset(): Promise<void> {
    await this.#client.ok('RSET');
    this.#marked.clear();
  }

  async #quit(): Promise<void> {
    const startedNs = process.hrtime.bigint();
    for (const number of this.#marked) {
      this.#ledger.noteRemoval(this.#expectSerial(number), startedNs);
    }
    await this.#client.ok('QUIT');
    this.#counts.removed += this.#marked.size;
  }

  #noteGone(number: number): void {
    if (this.#marked.has(number)) return;
    this.#gone.add(number);
    this.#ledger.noteMissed(this.#expectSerial(number));
  }

  #expectSerial(number: number): number {
    const serial = this.#serials.get(number);
    if (serial === undefined) throw new Error(`message number ${number} was not listed at login`);
    return serial;
  }
}
