// A Maildir and maildrops on it, for tests without a session: what STAT, LIST, UIDL and RETR would say.

import { octetsIfKnown } from '../../../src/maildrop/messages/octets.js';
import type { Test } from 'tap';
import { openMaildirMaildrop } from '../../../src/maildrop/opened/maildir-maildrop.js';
import type { Maildrop } from '../../../src/maildrop/messages/maildrop.js';
import { MaildirFixture } from './maildir-fixture.js';
import { testFolder } from '../suite/test-folder.js';

export interface Reported {
  readonly event: string;
  readonly fields: Readonly<Record<string, string | number>>;
}

/** A new Maildir in a directory of the test's. */
export function makeMaildir(t: Test): MaildirFixture {
  return new MaildirFixture(`${testFolder(t, {})}/INBOX`);
}

/** One session's view of a Maildir. */
export class OpenMaildrop {
  readonly reported: Reported[];
  readonly maildrop: Maildrop;

  private constructor(maildrop: Maildrop, reported: Reported[]) {
    this.maildrop = maildrop;
    this.reported = reported;
  }

  static async on(
    inbox: string,
    { marksSeen = false }: { readonly marksSeen?: boolean } = {},
  ): Promise<OpenMaildrop> {
    const reported: Reported[] = [];
    const report = (event: string, fields: Reported['fields']): void => {
      reported.push({ event, fields });
    };
    const path = Buffer.from(inbox).toString('latin1');
    return new OpenMaildrop(await openMaildirMaildrop(path, { marksSeen, report }), reported);
  }

  /** As LIST: octets by message number, without what is marked or gone. */
  async octets(): Promise<Record<number, number | null>> {
    await this.maildrop.refresh();
    await this.maildrop.measureAll();
    return this.#listed(({ octets }) => octetsIfKnown(octets));
  }

  /** As UIDL. */
  async uniqueIds(): Promise<Record<number, string | null>> {
    await this.maildrop.refresh();
    await this.maildrop.assignUniqueIds();
    return this.#listed(({ uniqueId }) => uniqueId);
  }

  /** The numbers of the messages that are listed. */
  async numbers(): Promise<number[]> {
    await this.maildrop.refresh();
    return Object.keys(this.#listed(() => null)).map(Number);
  }

  /** The stored bytes of a message, latin1; null when it is gone. */
  async read(number: number): Promise<string | null> {
    const record = this.#at(number);
    const file = await this.maildrop.open(record);
    if (file === null) return null;
    const chunks: string[] = [];
    const buffer = Buffer.alloc(1000);
    try {
      for (let length = file.read(buffer); length > 0; length = file.read(buffer)) {
        chunks.push(buffer.toString('latin1', 0, length));
      }
    } finally {
      file.close();
    }
    return chunks.join('');
  }

  /** As DELE. */
  mark(...numbers: readonly number[]): void {
    for (const number of numbers) this.#at(number).status = 'marked';
  }

  #at(number: number): Maildrop['records'][number] {
    const record = this.maildrop.records[number - 1];
    if (record === undefined) throw new RangeError(`no message ${number}`);
    return record;
  }

  #listed<T>(valueOf: (record: Maildrop['records'][number]) => T): Record<number, T> {
    return Object.fromEntries(
      this.maildrop.records.flatMap((record, index) =>
        record.status === 'present' ? [[index + 1, valueOf(record)]] : [],
      ),
    );
  }
}
