// A POP3 server that does what was drawn, and a ledger of what it sent and was told to delete. Knows what a client may hold
// after each RETR by the model, not by the client.

import { readdirSync, readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import type { Teardown } from '../support/programs/run-program.js';
import {
  drop,
  hangUp,
  silence,
  startFakeServer,
  type FakeMessage,
  type FakeServer,
  type Fault,
  type Turn,
} from '../support/programs/pop3get-fixture.js';
import { takingRetrForDele, withStatusField } from '../support/programs/pop3get-odd-server.js';
import { tamper, tampering, type Tampering } from './drawn-replies.js';
import { ModelError, ReplyModel } from './reply-model.js';

/** Which command a fault is for. A probe is a LIST, UIDL or NOOP between messages. */
const targets = ['CAPA', 'USER', 'PASS', 'LIST', 'UIDL', 'probe', 'RETR', 'DELE', 'QUIT'] as const;

export interface DrawnFault {
  readonly target: (typeof targets)[number];
  /** Which of the commands of this kind in the session, from 1. */
  readonly nth: number;
  readonly kind: 'drop' | 'silence' | 'refuse' | 'refuse for now' | 'cut' | 'tamper' | 'nothing';
  readonly change: Tampering;
}

/** What a sender can bring through a server that does not byte-stuff: an end, and replies of their own. */
const smuggled = fc.record<Tampering>({
  // Within the message: the end is the server's.
  at: fc.integer({ min: 150, max: 850 }),
  without: fc.constant(0),
  with: fc
    .array(fc.constantFrom('+OK\r\n', '-ERR\r\n', '+OK\r\nforged\r\n.\r\n', '+OK 1 id-9\r\n'), {
      maxLength: 3,
    })
    .map((replies) => `\r\n.\r\n${replies.join('')}`),
});

const drawnFault: fc.Arbitrary<DrawnFault> = fc
  .record<DrawnFault>({
    target: fc.constantFrom(...targets, 'RETR', 'RETR', 'RETR', 'RETR', 'DELE', 'probe'),
    nth: fc.integer({ min: 1, max: 5 }),
    kind: fc.constantFrom(
      ...(['drop', 'silence', 'refuse', 'refuse for now', 'cut', 'nothing'] as const),
      ...(['tamper', 'tamper', 'tamper', 'tamper'] as const),
    ),
    change: fc.oneof(tampering, smuggled),
  })
  // A server that answers no question about one message cannot be known to be in step: pop3get(1), BUGS.
  .filter(({ target, kind }) => target !== 'probe' || !kind.startsWith('refuse'));

/** What the server does besides, in every session. With `adds fields` messages change once a session or a run has seen them. */
const habits = ['none', 'none', 'deletes at RETR', 'deletes at QUIT', 'adds fields'] as const;

export interface DrawnPlan {
  readonly messageCount: number;
  readonly habit: (typeof habits)[number];
  readonly isPipelining: boolean;
  /** Of the first sessions; the others are without. */
  readonly sessions: readonly (readonly DrawnFault[])[];
}

export const drawnPlan: fc.Arbitrary<DrawnPlan> = fc.record({
  messageCount: fc.integer({ min: 1, max: 6 }),
  habit: fc.constantFrom(...habits),
  isPipelining: fc.boolean(),
  sessions: fc.array(fc.array(drawnFault, { minLength: 1, maxLength: 3 }), {
    minLength: 1,
    maxLength: 4,
  }),
});

interface SessionLog {
  readonly commands: string[];
  /** latin1, without the greeting. */
  sent: string;
  /** Where each command's reply ends in it. */
  readonly ends: number[];
  /** One fault that puts a client out of step is enough: two may undo each other, and nobody could tell. */
  isOutOfStep: boolean;
}

export class HostileServer {
  readonly violations: string[] = [];
  readonly #plan: DrawnPlan;
  readonly #maildir: string;
  readonly #logs = new Map<number, SessionLog>();
  /** What a client in step may have been given for each message, by unique-id. */
  readonly #given = new Map<string | null, Set<string>>();
  /** Messages that have got fields, by unique-id. */
  readonly #changed = new Set<string | null>();
  readonly #takeRetrForDele: ReturnType<typeof takingRetrForDele>;
  #server: FakeServer | null = null;

  constructor(plan: DrawnPlan, maildir: string) {
    this.#plan = plan;
    this.#maildir = maildir;
    this.#takeRetrForDele = takingRetrForDele(
      () => this.#started(),
      plan.habit === 'deletes at RETR',
    );
  }

  #started(): FakeServer {
    if (this.#server === null) throw new Error('not started');
    return this.#server;
  }

  async start(t: Teardown, messages: readonly FakeMessage[]): Promise<FakeServer> {
    this.#server = await startFakeServer(t, {
      messages,
      capabilities: ['USER', 'UIDL', 'TOP', ...(this.#plan.isPipelining ? ['PIPELINING'] : [])],
      fault: (line, session, socket, turn) => this.#react(line, session, socket, turn),
    });
    return this.#server;
  }

  /** What may be stored for a message, LF line ends. */
  given(message: FakeMessage): ReadonlySet<string> {
    return this.#given.get(message.uniqueId) ?? new Set();
  }

  /** It has no other copy of what it sent: the client has to wait for it, and the server is never silent. */
  get isTakingRetrForDele(): boolean {
    return this.#plan.habit.startsWith('deletes');
  }

  /** To be called when no session is going on that may come to QUIT. */
  addFields(): void {
    if (this.#plan.habit !== 'adds fields') return;
    const server = this.#started();
    server.messages = server.messages.map((message) => {
      if (this.#changed.has(message.uniqueId)) return message;
      this.#changed.add(message.uniqueId);
      return withStatusField(message);
    });
  }

  #react(line: string, session: number, socket: Socket, turn: Turn): Fault {
    const log = this.#logs.get(session) ?? { commands: [], sent: '', ends: [], isOutOfStep: false };
    this.#logs.set(session, log);
    log.commands.push(line);
    if (line.startsWith('DELE ')) this.#checkDeletion(line, turn, log);
    const fault = this.#faultFor(log, session);
    if (['drop', 'silence', 'cut'].includes(fault?.kind ?? '')) this.addFields();
    // A reset takes with it what the client has not read, and this server has no other copy of it.
    if (fault?.kind === 'drop') return this.isTakingRetrForDele ? hangUp(socket) : drop;
    if (fault?.kind === 'silence') return silence;
    const isTaking = this.isTakingRetrForDele && fault === undefined;
    const odd = isTaking ? this.#takeRetrForDele(line, session, turn) : undefined;
    // Only without a fault does the server delete.
    if (fault === undefined && line === 'QUIT') return undefined;
    const right = (): string => odd ?? turn.answer().toString('latin1');
    const text = fault === undefined ? right() : wrongReply(fault, right);
    log.sent += text;
    log.ends.push(log.sent.length);
    this.#noteGiven(turn, log);
    if (fault?.kind !== 'cut') return Buffer.from(text, 'latin1');
    socket.end(Buffer.from(text, 'latin1'));
    return silence;
  }

  #faultFor(log: SessionLog, session: number): DrawnFault | undefined {
    const target = targetOf(log.commands.at(-1) ?? '');
    const nth = log.commands.filter((one) => targetOf(one) === target).length;
    const fault = this.#plan.sessions[session - 1]?.find(
      (one) =>
        one.target === target &&
        one.nth === nth &&
        !(this.isTakingRetrForDele && one.kind === 'silence'),
    );
    if (fault?.kind !== 'tamper' && fault?.kind !== 'nothing') return fault;
    // It answers no question about what it deleted, so that nobody could tell either.
    if (log.isOutOfStep || this.isTakingRetrForDele) return undefined;
    log.isOutOfStep = true;
    return fault;
  }

  /** A reply to RETR counts when it ends where the server ended it: a client that reads on or stops before is out of step. */
  #noteGiven({ listed }: Turn, { commands, sent, ends }: SessionLog): void {
    const model = new ReplyModel(sent);
    try {
      for (const [index, command] of commands.entries()) {
        const [keyword, argument] = command.split(' ');
        if (keyword === 'NOOP') {
          passToStatus(model);
          continue;
        }
        if (!model.status().isOk) continue;
        const isListing =
          keyword === 'TOP' || (argument === undefined && /^(CAPA|LIST|UIDL)$/.test(keyword ?? ''));
        if (keyword !== 'RETR' && !isListing) continue;
        const content = model.message(Number.POSITIVE_INFINITY);
        const message = listed[Number(argument) - 1];
        if (keyword !== 'RETR' || message === undefined || model.at !== ends[index]) continue;
        const given = this.#given.get(message.uniqueId) ?? new Set<string>();
        this.#given.set(message.uniqueId, given.add(content.replace(/\r\n/g, '\n')));
      }
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
    }
  }

  #checkDeletion(line: string, { listed }: Turn, log: SessionLog): void {
    const message = listed[Number(line.slice('DELE '.length)) - 1];
    if (message === undefined) return;
    const stored = storedFiles(this.#maildir);
    const isStored = [...this.given(message)].some((content) => stored.includes(content));
    if (isStored) return;
    this.violations.push(`${line} and not stored; ${JSON.stringify(log)}; ${stored.join(' | ')}`);
  }
}

function wrongReply(fault: DrawnFault, right: () => string): string {
  switch (fault.kind) {
    case 'refuse':
      return '-ERR no\r\n';
    case 'refuse for now':
      return '-ERR [SYS/TEMP] not now\r\n';
    case 'nothing':
      return '';
    case 'cut': {
      const text = right();
      return text.slice(0, Math.floor((text.length * fault.change.at) / 1001));
    }
    case 'drop':
    case 'silence':
    case 'tamper':
      return Buffer.from(tamper(right(), fault.change), 'latin1').toString('latin1');
  }
}

function targetOf(line: string): DrawnFault['target'] | null {
  const [keyword = '', argument] = line.split(' ');
  if (keyword === 'NOOP' || (argument !== undefined && /^(LIST|UIDL)$/.test(keyword)))
    return 'probe';
  return targets.find((one) => one === keyword) ?? null;
}

/** NOOP ends a listing that nobody asked for. */
function passToStatus(model: ReplyModel): void {
  for (;;) {
    try {
      model.status();
      return;
    } catch (error) {
      if (!(error instanceof ModelError) || model.rest === '') throw error;
    }
  }
}

/** What is in new and cur, without trace headers, as it is. */
export function storedFiles(maildir: string): readonly string[] {
  return ['new', 'cur'].flatMap((folder) =>
    readdirSync(join(maildir, folder)).map((name) =>
      readFileSync(join(maildir, folder, name), 'latin1').replace(
        /^Received: [^\n]*\n\t[^\n]*\n\t[^\n]*\n/,
        '',
      ),
    ),
  );
}
