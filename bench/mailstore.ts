// The mail and the accounts that all servers of a part serve: deterministic, owned by an ordinary user, in a temporary folder.

import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hashPassword } from '../src/auth/stored/make-password.js';
import { makePasswordDatabase } from '../test/support/accounts/password-database-fixture.js';
import type { Teardown } from '../test/support/programs/run-program.js';
import { password } from './load.js';
import { makeMessage, type LineEnd } from './message.js';
import { owner, type Site } from './site.js';

export const domain = 'example.org';

export type Scheme = 'PLAIN' | 'SHA512-CRYPT' | 'ARGON2ID';

export interface Contents {
  readonly messages: number;
  /** Octets of a message's file, about. */
  readonly octets: number;
  readonly lineEnd?: LineEnd;
}

export class Mailstore {
  readonly folder: string;
  readonly mailRoot: string;
  readonly #users: string[] = [];

  /** Makes an empty one, removed by the teardown. To be made by root. */
  constructor(t: Teardown) {
    this.folder = mkdtempSync(join(tmpdir(), 'bench-'));
    t.teardown(() => rm(this.folder, { recursive: true, force: true }));
    chmodSync(this.folder, 0o755);
    this.mailRoot = join(this.folder, 'mail');
    makeOwned(this.mailRoot);
    makeOwned(join(this.mailRoot, domain));
  }

  /** Adds a user whose messages are half in new and half in cur. @returns the login name */
  addUser(user: string, { messages, octets, lineEnd = 'LF' }: Contents): string {
    makeOwned(join(this.mailRoot, domain, user));
    makeOwned(this.inbox(user));
    for (const subdirectory of ['new', 'cur', 'tmp'])
      makeOwned(join(this.inbox(user), subdirectory));
    for (let serial = 0; serial < messages; serial += 1) {
      const place = serial % 2 === 0 ? 'cur' : 'new';
      const info = place === 'cur' ? ':2,S' : '';
      const name = `${1_700_000_000 + serial}.M${serial}P1Q${serial}.bench${info}`;
      const path = join(this.inbox(user), place, name);
      writeFileSync(path, makeMessage(serial, octets, lineEnd));
      chownSync(path, owner.uid, owner.gid);
    }
    this.#users.push(user);
    return `${user}@${domain}`;
  }

  /** Adds `u0`, `u1` and so on. @returns a login name with a `%d` for the number */
  addUsers(count: number, contents: Contents): string {
    for (let number = 0; number < count; number += 1) this.addUser(`u${number}`, contents);
    return `u%d@${domain}`;
  }

  inbox(user: string): string {
    return join(this.mailRoot, domain, user, 'INBOX');
  }

  /** What servers need to serve it, with a password database of all users added so far, all with the same password. */
  async site(scheme: Scheme = 'PLAIN'): Promise<Site> {
    const { folder, mailRoot } = this;
    const users = this.#users.map((user) => `${user}@${domain}`);
    return { folder, mailRoot, users, passdb: await this.#passwordDatabase(scheme) };
  }

  /** As delivered: every second message back in new, from where Dovecot moves them to cur. */
  moveHalfToNew(user: string): void {
    const inbox = this.inbox(user);
    for (const name of readdirSync(join(inbox, 'cur'))) {
      const serial = Number(/M([0-9]+)P/.exec(name)?.[1]);
      if (serial % 2 === 0) continue;
      renameSync(join(inbox, 'cur', name), join(inbox, 'new', name.replace(/:.*/, '')));
    }
  }

  async #passwordDatabase(scheme: Scheme): Promise<string> {
    const path = join(this.folder, `${scheme}.sqlite`);
    const accounts: Record<string, string> = {};
    for (const user of this.#users) {
      accounts[`${user}@${domain}`] = await hashPassword(scheme, Buffer.from(password));
    }
    makePasswordDatabase(path, accounts);
    chmodSync(path, 0o644);
    return path;
  }
}

function makeOwned(path: string): void {
  mkdirSync(path);
  chownSync(path, owner.uid, owner.gid);
}
