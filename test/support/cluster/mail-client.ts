// One session of a client: what it is told goes into the ledger, and how it went is told to the load.

import { connect } from 'node:net';
import { WireClient } from '../sessions/wire-client.js';
import type { MailLedger } from './mail-ledger.js';

export interface Way {
  /** Where POP3 is served, on port 110. */
  readonly server: string;
  /** The client's own address. */
  readonly from: string;
}

export interface MailClientOptions {
  readonly way: Way;
  readonly user: string;
  readonly password: string;
  readonly ledger: MailLedger;
  readonly random: (limit: number) => number;
}

/**
 * `done`: up to the reply to QUIT, or to an end that the client chose; `refused`: the server said
 * that it cannot do it now.
 */
export type Outcome = 'done' | 'refused';

/** A line of UIDL or LIST. What is gone has none: lines are not counted. */
export interface Listed {
  readonly number: string;
  /** A unique-id, or octets. */
  readonly value: string;
}

/** The server cannot do it now: storage that heals takes its time. */
export const isTemporary = /^-ERR \[SYS\/TEMP\]/;
/** As mail programs have it. */
const patienceMs = 120_000;
const mostRetrieved = 5;
/** Of ten. */
const [asksForOctets, deletes, leavesWithoutQuit] = [3, 6, 1];

/** @throws Error when the connection is not there or ends before its time */
export async function connectClient({ server, from }: Way): Promise<WireClient> {
  const socket = connect({ port: 110, host: server, localAddress: from });
  await new Promise((resolve, reject) => {
    socket.once('connect', resolve).once('error', reject);
  });
  return new WireClient(socket, socket, patienceMs);
}

/** Reads the greeting and logs in. @returns the reply to PASS, or an earlier -ERR */
export async function logIn(client: WireClient, user: string, password: string): Promise<string> {
  for (const command of [null, `USER ${user}@example.org`]) {
    const reply = await (command === null ? client.status() : client.command(command));
    if (!reply.startsWith('+OK')) return reply;
  }
  return client.command(`PASS ${password}`);
}

/** @throws Error when the connection ends before its time, and for what may not be answered */
export async function haveSession({
  way,
  user,
  password,
  ledger,
  random,
}: MailClientOptions): Promise<Outcome> {
  const client = await connectClient(way);
  try {
    const fromMs = performance.now();
    const reply = await logIn(client, user, password);
    if (isTemporary.test(reply)) return 'refused';
    if (!reply.startsWith('+OK')) {
      ledger.faults.push(`${user}: a right password: ${reply}`);
      return 'refused';
    }
    const listing = await listMail(client, 'UIDL');
    if (listing === null) return 'refused';
    const ids = listing.map(({ value }) => value);
    ledger.noteListing({ user, fromMs, toMs: performance.now(), ids });
    if (random(10) < asksForOctets) await checkOctets(client, ledger, listing);
    const marked: string[] = [];
    const first = random(Math.max(1, ids.length - mostRetrieved));
    for (const { number, value: id } of listing.slice(first, first + mostRetrieved)) {
      if (!(await retrieve(client, ledger, { number, value: id })) || random(10) >= deletes)
        continue;
      const answer = await client.command(`DELE ${number}`);
      if (answer.startsWith('+OK')) marked.push(id);
      else if (!isTemporary.test(answer)) ledger.noteMissing(id, answer);
    }
    if (random(10) < leavesWithoutQuit) return 'done';
    const removed = ledger.noteQuit(marked);
    const answer = await client.command('QUIT');
    if (!answer.startsWith('+OK')) return 'refused';
    removed();
    return 'done';
  } finally {
    client.destroy();
  }
}

/** @returns null when the server says that it cannot do it now. @throws Error for any other -ERR */
export async function listMail(
  client: WireClient,
  command: 'UIDL' | 'LIST',
): Promise<readonly Listed[] | null> {
  const reply = await client.command(command);
  if (isTemporary.test(reply)) return null;
  if (!reply.startsWith('+OK')) throw new Error(`${command}: ${reply}`);
  const lines = (await client.multiline()).toString('latin1').split('\r\n').slice(0, -1);
  return lines.map((line) => {
    const [number = '', value = ''] = line.split(' ');
    return { number, value };
  });
}

async function checkOctets(
  client: WireClient,
  ledger: MailLedger,
  listing: readonly Listed[],
): Promise<void> {
  const ids = new Map(listing.map(({ number, value }) => [number, value]));
  for (const { number, value } of (await listMail(client, 'LIST')) ?? []) {
    ledger.noteOctets(ids.get(number) ?? '', Number(value));
  }
}

async function retrieve(
  client: WireClient,
  ledger: MailLedger,
  { number, value: id }: Listed,
): Promise<boolean> {
  const reply = await client.command(`RETR ${number}`);
  if (reply.startsWith('+OK')) {
    ledger.noteRetrieved(id, (await client.multiline()).toString('latin1'));
    return true;
  }
  if (!isTemporary.test(reply)) ledger.noteMissing(id, reply);
  return false;
}
