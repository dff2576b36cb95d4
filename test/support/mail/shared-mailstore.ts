// A mail root for several servers: owned by somebody who is not root, with a password database that all of them read.

import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MaildirFixture } from './maildir-fixture.js';
import { makePasswordDatabase } from '../accounts/password-database-fixture.js';
import type { Dovecot } from '../peers/dovecot.js';
import { ImapClient } from '../peers/imap-client.js';
import { startProgram, type RunningProgram, type Teardown } from '../programs/run-program.js';
import { connectWireClient, WireClient } from '../sessions/wire-client.js';

/** Debian's nobody and nogroup. */
export const mailOwner = { uid: 65534, gid: 65534 };

export const password = 'open-sesame';

export class SharedMailstore {
  readonly mailRoot: string;
  readonly passdb: string;
  readonly #t: Teardown;

  private constructor(t: Teardown, folder: string) {
    this.#t = t;
    this.mailRoot = join(folder, 'mail');
    this.passdb = join(folder, 'passdb.sqlite');
  }

  /** Makes one for these users of example.org, all with the same password. To be made by root. */
  static make(t: Teardown, ...users: readonly string[]): SharedMailstore {
    const folder = mkdtempSync(join(tmpdir(), 'mailstore-'));
    t.teardown(() => rm(folder, { recursive: true, force: true }));
    chmodSync(folder, 0o755);
    const store = new SharedMailstore(t, folder);
    mkdirSync(store.mailRoot);
    makePasswordDatabase(
      store.passdb,
      Object.fromEntries(users.map((user) => [`${user}@example.org`, password])),
    );
    chmodSync(store.passdb, 0o644);
    giveAway(store.mailRoot);
    return store;
  }

  inboxPath(user: string): string {
    return join(this.mailRoot, 'example.org', user, 'INBOX');
  }

  /** Makes a user's INBOX, or fills the one that is there. */
  inbox(user: string): MaildirFixture {
    const inbox = new MaildirFixture(this.inboxPath(user));
    giveAway(join(this.mailRoot, 'example.org'));
    return inbox;
  }

  /** To be called after files were added as root: all below the mail root becomes the mail owner's. */
  giveAway(): void {
    giveAway(this.mailRoot);
  }

  /** Starts pop3d as root, over pipes, and logs in. */
  async openPop3(user: string, ...args: readonly string[]): Promise<Pop3Session> {
    const program = startProgram(this.#t, 'pop3d', ['--passdb', this.passdb, ...args], {
      cwd: this.mailRoot,
    });
    const client = new WireClient(program.stdout, program.stdin);
    await client.login(`${user}@example.org`, password);
    return { program, client };
  }
}

export interface Pop3Session {
  readonly program: RunningProgram;
  readonly client: WireClient;
}

/** The unique-id of each message by its Subject. */
export async function idsBySubject(client: WireClient): Promise<Record<string, string>> {
  const ids: Record<string, string> = {};
  for (const line of await client.listing('UIDL')) {
    const [number = '', uniqueId = ''] = line.split(' ');
    const header = (await client.message(`TOP ${number} 0`)).toString('latin1');
    ids[/^Subject: (.*)\r$/m.exec(header)?.[1] ?? `no subject in ${number}`] = uniqueId;
  }
  return ids;
}

/**
 * Has a Dovecot take three messages over IMAP and remove the first, so that its next unique-id is not what a count of the
 * files would give.
 *
 * @returns the unique-ids that it gave, as `idsFromDovecot`
 */
export async function fillDovecot(
  dovecot: Dovecot,
  address = 'ann@example.org',
): Promise<Record<string, string>> {
  const imap = await ImapClient.open(dovecot.imapPort, address, password);
  for (const subject of ['one', 'two', 'three']) {
    await imap.append(Buffer.from(`Subject: ${subject}\r\n\r\nbody of ${subject}\r\n`));
  }
  await imap.command('STORE 1 +FLAGS (\\Deleted)');
  await imap.command('EXPUNGE');
  const ids = await idsFromDovecot(dovecot, address);
  if (Object.keys(ids).sort().join() !== 'three,two') throw new Error('Dovecot has other mail');
  return ids;
}

/** The unique-ids that Dovecot's own POP3 server gives, as `idsBySubject`. */
export async function idsFromDovecot(
  { pop3Port }: Dovecot,
  address = 'ann@example.org',
): Promise<Record<string, string>> {
  const client = await connectWireClient(pop3Port);
  await client.login(address, password);
  const ids = await idsBySubject(client);
  await client.ok('QUIT');
  return ids;
}

function giveAway(path: string): void {
  chownSync(path, mailOwner.uid, mailOwner.gid);
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const below = join(path, entry.name);
    if (entry.isDirectory()) giveAway(below);
    else chownSync(below, mailOwner.uid, mailOwner.gid);
  }
}
