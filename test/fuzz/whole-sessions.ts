// Random sessions against real processes, compared with the model: most over a kept worker of tcpsrun, some with a pop3d of their own.

import { join } from 'node:path';
import { connect } from 'node:net';
import fc from 'fast-check';
import { defaultLimits } from '../../src/pop3-server/commands/service.js';
import { splitInto } from '../support/sessions/chunkings.js';
import { deadline } from '../support/suite/deadline.js';
import { startMailServer, type MailServer } from '../support/programs/mail-server.js';
import { makeInbox, type MaildirFixture } from '../support/mail/maildir-fixture.js';
import { makePasswordDatabase } from '../support/accounts/password-database-fixture.js';
import { startProgram, type Teardown } from '../support/programs/run-program.js';
import { seededRandom } from '../torture/random.js';
import { arbitraryInput, type Account } from './arbitrary-input.js';
import { findDifference } from './expected-reply.js';
import { lanes } from './lanes.js';
import { SessionModel } from './session-model.js';

export interface WholeSessionsOptions {
  readonly seed: number;
  readonly sessionCount: number;
  readonly budgetMs?: number;
  /** An empty folder. */
  readonly mailRoot: string;
  /** Told of the server once it listens. */
  readonly onServer?: (server: MailServer) => void;
}

export interface WholeSessionsResult {
  readonly sessions: number;
  readonly removed: number;
  readonly failures: readonly string[];
}

/** Users at once; each has one session at a time, so that the model knows the maildrop. */
const userCount = 6;
const password = 'open sesame';
/** One session in so many gets a process of its own. */
const processEvery = 20;

/** The model knows no time. */
const undelayed = { FAILURE_DELAY: '0' };

export async function runWholeSessions(
  t: Teardown,
  options: WholeSessionsOptions,
): Promise<WholeSessionsResult> {
  const { mailRoot, sessionCount, seed, budgetMs = Number.POSITIVE_INFINITY } = options;
  const addresses = Array.from({ length: userCount }, (_, index) => `u${index}@example.org`);
  makePasswordDatabase(
    join(mailRoot, 'passdb.sqlite'),
    Object.fromEntries(addresses.map((address) => [address, password])),
  );
  const inboxes = addresses.map((address) => makeInbox(mailRoot, address));
  const server = await startMailServer(t, mailRoot, {
    args: ['--workers', '2'],
    env: undelayed,
  });
  const { port } = server;
  options.onServer?.(server);
  const untilMs = performance.now() + budgetMs;
  const failures: string[] = [];
  let sessions = 0;
  let removed = 0;
  const serve = async (index: number): Promise<void> => {
    const random = seededRandom(seed + index);
    const [address, inbox] = [addresses[index] ?? '', inboxes[index]];
    if (inbox === undefined) return;
    const account = { address, password };
    const input = arbitraryInput(account);
    while (sessions < sessionCount && failures.length === 0 && performance.now() < untilMs) {
      sessions += 1;
      const outcome = await runOne(t, { random, account, input, inbox, mailRoot, port });
      if (typeof outcome === 'string') failures.push(`seed ${seed}, ${address}: ${outcome}`);
      else removed += outcome;
    }
  };
  await Promise.all(addresses.map((_, index) => serve(index)));
  return { sessions, removed, failures };
}

type Random = (limit: number) => number;

interface Setting {
  readonly random: Random;
  readonly account: Account;
  readonly input: fc.Arbitrary<string>;
  readonly inbox: MaildirFixture;
  readonly mailRoot: string;
  readonly port: number;
}

/** @returns how many messages it removed, or what went wrong */
async function runOne(t: Teardown, setting: Setting): Promise<number | string> {
  const { random, inbox, mailRoot, port } = setting;
  for (let count = random(3); count >= 0; count -= 1) inbox.add(drawMessage(random));
  const messages = inbox.contents();
  const { script, model } = drawScript(setting, messages);
  const bytes = Buffer.from(script, 'latin1');
  const sent =
    random(processEvery) === 0
      ? await startProgram(t, 'pop3d', [], { cwd: mailRoot, env: undelayed })
          .finish(bytes)
          .then(({ stdout }) => stdout)
      : await exchange(port, splitInto(bytes, [1 + random(60), 1 + random(2000)]));
  const difference = findDifference(sent.toString('latin1'), model.expectations);
  if (difference !== null) return `${JSON.stringify(script)}: ${difference}`;
  const expected = messages.filter(
    (_, index) => !(model.removesMarked && model.marked.has(index + 1)),
  );
  const left = inbox.contents();
  return Buffer.concat(left).equals(Buffer.concat(expected)) && left.length === expected.length
    ? messages.length - left.length
    : `${JSON.stringify(script)}: ${left.length} messages are left instead of ${expected.length}`;
}

function drawScript(
  { random, account, input }: Setting,
  messages: readonly Buffer[],
): { readonly script: string; readonly model: SessionModel } {
  const model = new SessionModel({ ...account, ...defaultLimits, messages });
  let script = '';
  const send = (octets: string): void => {
    model.feed(octets);
    script += octets.slice(0, octets.length - model.unfollowedOctets);
  };
  // The last two lanes are the states after the login; most sessions are to get there.
  const lane = lanes[random(3) === 0 ? random(lanes.length) : lanes.length - 1 - random(2)];
  const entering = lane?.enter(model, account);
  if (typeof entering === 'string') send(entering);
  for (const text of fc.sample(input, { numRuns: random(20), seed: random(2 ** 31) })) {
    if (model.isOver) break;
    send(text);
  }
  if (random(3) > 0 && !model.isOver) send('\r\nQUIT\r\n');
  return { script, model };
}

function drawMessage(random: Random): string {
  const lines = Array.from({ length: random(30) }, () =>
    ['.', '..', 'a line', '', 'é', 'x'.repeat(random(200))].at(random(6)),
  );
  return `Subject: ${random(1000)}\n\n${lines.join('\n')}${random(4) === 0 ? '' : '\n'}`;
}

/** Sends pieces, then the end, and reads to the end. */
async function exchange(port: number, pieces: readonly Buffer[]): Promise<Buffer> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  const received: Buffer[] = [];
  socket.on('data', (chunk) => received.push(chunk));
  const ended = new Promise((resolve, reject) => {
    socket.once('end', resolve).once('error', reject);
  });
  for (const piece of pieces) socket.write(piece);
  socket.end();
  await deadline(ended, 20_000, () => `no end after ${Buffer.concat(received).toString('latin1')}`);
  return Buffer.concat(received);
}
