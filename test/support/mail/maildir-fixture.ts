// Mail roots and Maildirs for tests: made, filled and read back with plain file operations, none of ours.

import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

export type MaildirFolder = 'new' | 'cur' | 'tmp';

/** A Maildir under test. Names are bytes, written as latin1 strings. */
export class MaildirFixture {
  readonly path: string;
  #count = 0;

  /** Makes the Maildir at `path`, with all folders on the way to it. */
  constructor(path: string) {
    this.path = path;
    for (const folder of ['new', 'cur', 'tmp']) {
      mkdirSync(join(path, folder), { recursive: true, mode: 0o755 });
    }
  }

  /**
   * Adds a message. Without a name it gets one that is later in the order of delivery than those before it.
   *
   * @returns the file's name
   */
  add(
    content: Buffer | string,
    options: { readonly name?: string; readonly folder?: MaildirFolder } = {},
  ): string {
    this.#count += 1;
    const serial = String(this.#count).padStart(6, '0');
    const name = options.name ?? `1700${serial}.M${serial}P1.fixture`;
    writeFileSync(this.#pathOf(options.folder ?? 'new', name), content);
    return name;
  }

  /** The file names in a folder, sorted by their bytes. */
  names(folder: MaildirFolder): string[] {
    return readdirSync(join(this.path, folder), 'latin1').sort();
  }

  /** All messages that are there, in the order of delivery. */
  contents(): Buffer[] {
    return (['new', 'cur'] as const)
      .flatMap((folder) => this.names(folder).map((name) => ({ folder, name })))
      .sort((one, other) => deliveredAt(one.name) - deliveredAt(other.name))
      .map(({ folder, name }) => this.read(folder, name));
  }

  read(folder: MaildirFolder, name: string): Buffer {
    return readFileSync(this.#pathOf(folder, name));
  }

  remove(folder: MaildirFolder, name: string): void {
    unlinkSync(this.#pathOf(folder, name));
  }

  /** Renames a message as an IMAP server does when it sets flags. @returns the new name, in cur */
  flag(folder: MaildirFolder, name: string, flags: string): string {
    const flagged = `${name.replace(/:.*/s, '')}:2,${flags}`;
    renameSync(this.#pathOf(folder, name), this.#pathOf('cur', flagged));
    return flagged;
  }

  #pathOf(folder: MaildirFolder, name: string): Buffer {
    return Buffer.concat([Buffer.from(join(this.path, folder, '/')), Buffer.from(name, 'latin1')]);
  }
}

/** Microseconds; `1795256399.M80066P13028…` has a number after the M that is not padded. */
function deliveredAt(name: string): number {
  const [, seconds, microseconds] = /^(\d+)\.(?:M(\d+))?/.exec(name) ?? [];
  return Number(seconds ?? 0) * 1e6 + Number(microseconds ?? 0);
}

/** Makes the INBOX of `user@domain` below a mail root. Both names must need no encoding. */
export function makeInbox(mailRoot: string, address: string): MaildirFixture {
  const [user = '', domain = ''] = address.split('@');
  return new MaildirFixture(join(mailRoot, domain, user, 'INBOX'));
}
