// Sessions and deliveries that keep coming, whatever happens to the cluster, with a ledger; and logins that are tried again until
// they succeed, for how long that takes.

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { deadline, poll } from '../suite/deadline.js';
import { deliverTo, type Arrival } from './deliver-to.js';
import { clientAddress } from './parts/hosts.js';
import { connectClient, haveSession, logIn } from './mail-client.js';
import type { MailLedger } from './mail-ledger.js';

export interface LoadOptions {
  /** The balancer's address. */
  readonly server: string;
  /** Passwords by user. */
  readonly accounts: ReadonlyMap<string, string>;
  /** Where the mail is mounted: a delivery takes one of them. */
  readonly mailRoots: readonly string[];
  readonly ledger: MailLedger;
  readonly random: (limit: number) => number;
}

/** A session whose connection ended before its time, or did not answer any more. */
export interface BrokenSession {
  /** The client's. */
  readonly address: string;
  readonly error: string;
  readonly startedMs: number;
  readonly atMs: number;
}

/** One login, from the first try to its success. */
export interface Login {
  readonly startedMs: number;
  readonly tookMs: number;
  readonly tries: number;
}

const sessionsPerSecond = 20;
const deliveriesPerSecond = 5;
const loginsPerSecond = 2;
const liesPerSecond = 1;
/** A machine that is too slow for so many a second gets fewer. */
const mostSessions = 100;
const mostDeliveries = 40;
const mostLogins = 40;
/** After so long without an answer a client tries again. */
const tryMs = 6000;
const pauseMs = 100;
/** More than a client's. */
const patienceMs = 240_000;

export class Load {
  readonly broken: BrokenSession[] = [];
  readonly logins: Login[] = [];
  readonly counts = {
    ...{ sessions: 0, done: 0, refused: 0 },
    ...{ arrived: 0, unsure: 0, failed: 0, wrongPasswords: 0 },
  };
  readonly #options: LoadOptions;
  readonly #users: readonly string[];
  readonly #timers: NodeJS.Timeout[];
  /** When those who still try began. */
  readonly #trying = new Set<number>();
  readonly #underWay = new Map<string, number>();
  readonly #ownDelay = monitorEventLoopDelay();
  #clients = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#users = [...options.accounts.keys()];
    this.#ownDelay.enable();
    this.#timers = [
      this.#repeat(sessionsPerSecond, mostSessions, () => this.#haveSession()),
      this.#repeat(deliveriesPerSecond, mostDeliveries, () => this.#deliver()),
      this.#repeat(loginsPerSecond, mostLogins, () => this.#logInAtLast()),
      this.#repeat(liesPerSecond, mostLogins, () => this.#lie()),
    ];
  }

  /** By how much anything may seem later than it was: this process had no turn meanwhile. */
  get ownDelayMs(): number {
    return this.#ownDelay.max / 1e6;
  }

  /** The longest login that was under way in that time, also if it still is. */
  longestLogin(fromMs: number, toMs: number): { readonly count: number; readonly tookMs: number } {
    const nowMs = performance.now();
    const trying = [...this.#trying].map((startedMs) => ({ startedMs, tookMs: nowMs - startedMs }));
    const logins = [...this.logins, ...trying].filter(
      ({ startedMs, tookMs }) => startedMs + tookMs >= fromMs && startedMs <= toMs,
    );
    return { count: logins.length, tookMs: Math.max(0, ...logins.map(({ tookMs }) => tookMs)) };
  }

  /** Waits for so many sessions that are done from now on. */
  async goOn(sessions: number): Promise<void> {
    const wanted = this.counts.done + sessions;
    await poll(
      `${sessions} further sessions`,
      () => Promise.resolve(this.counts.done >= wanted ? true : undefined),
      patienceMs,
    );
  }

  /** Begins no more, and waits for what is under way. */
  async end(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await poll(
      'all that is under way to end',
      () => Promise.resolve([...this.#underWay.values()].some(Boolean) ? undefined : true),
      patienceMs,
    );
    this.#ownDelay.disable();
  }

  #repeat(perSecond: number, most: number, act: () => Promise<void>): NodeJS.Timeout {
    const kind = String(this.#underWay.size);
    this.#underWay.set(kind, 0);
    const add = (number: number): void => {
      this.#underWay.set(kind, (this.#underWay.get(kind) ?? 0) + number);
    };
    return setInterval(() => {
      if ((this.#underWay.get(kind) ?? 0) >= most) return;
      add(1);
      act()
        .catch((error: unknown) => this.#options.ledger.faults.push(String(error)))
        .finally(() => add(-1));
    }, 1000 / perSecond);
  }

  async #haveSession(): Promise<void> {
    const { server, ledger, random } = this.#options;
    const [user, password] = this.#someone();
    const from = this.newAddress();
    const startedMs = performance.now();
    this.counts.sessions += 1;
    try {
      const outcome = await haveSession({
        ...{ way: { server, from }, user, password, ledger, random },
      });
      this.counts[outcome] += 1;
    } catch (error) {
      const atMs = performance.now();
      this.broken.push({ address: from, error: String(error), startedMs, atMs });
    }
  }

  async #deliver(): Promise<void> {
    const { mailRoots, ledger, random } = this.#options;
    const [user] = this.#someone();
    const root = mailRoots[random(mailRoots.length)] ?? '';
    const serial = ledger.beginDelivery(user);
    const arrival: Arrival = await deliverTo(`${root}/example.org/${user}/INBOX`, serial);
    this.counts[arrival] += 1;
    if (arrival === 'arrived') ledger.noteDelivered(serial);
    else if (arrival === 'failed') ledger.forget(serial);
  }

  async #logInAtLast(): Promise<void> {
    const startedMs = performance.now();
    this.#trying.add(startedMs);
    const [user, password] = this.#someone();
    for (let tries = 1; ; tries += 1) {
      const reply = await this.#tryLogin(user, password);
      if (reply?.startsWith('-ERR [AUTH]')) {
        this.#options.ledger.faults.push(`${user}: a right password: ${reply}`);
      }
      if (reply?.startsWith('+OK')) {
        this.#trying.delete(startedMs);
        this.logins.push({ startedMs, tookMs: performance.now() - startedMs, tries });
        return;
      }
      if (performance.now() - startedMs > patienceMs) throw new Error(`${user} cannot log in`);
      await delay(pauseMs);
    }
  }

  /** A wrong password, or an unknown user. */
  async #lie(): Promise<void> {
    const isUnknown = this.#options.random(2) === 0;
    const [user, password] = this.#someone();
    const [name, word] = isUnknown ? ['nobody', password] : [user, 'guess'];
    const reply = await this.#tryLogin(name, word);
    this.counts.wrongPasswords += 1;
    if (reply !== null && !/^-ERR \[(?:AUTH|SYS\/TEMP)\]/.test(reply)) {
      this.#options.ledger.faults.push(`${name}: a wrong password: ${reply}`);
    }
  }

  /** @returns the reply to PASS; null when the connection ended, or there was none in time */
  async #tryLogin(user: string, password: string): Promise<string | null> {
    const way = { server: this.#options.server, from: this.newAddress() };
    const connecting = connectClient(way);
    try {
      const trying = connecting.then((client) => logIn(client, user, password));
      return await deadline(trying, tryMs, () => 'no answer');
    } catch {
      return null;
    } finally {
      void connecting.then(
        (client) => client.destroy(),
        () => undefined,
      );
    }
  }

  #someone(): readonly [user: string, password: string] {
    const user = this.#users[this.#options.random(this.#users.length)] ?? '';
    return [user, this.#options.accounts.get(user) ?? ''];
  }

  /** An address that no client has had lately. */
  newAddress(): string {
    this.#clients += 1;
    return clientAddress(this.#clients);
  }
}
