// When a change of unique-ids is told, and when the file that remembers them is written.

import { existsSync, rmdirSync, statSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { rememberedIdsName } from '../../../../src/maildrop/unique-ids/remembered-ids.js';
import { watchUniqueIds } from '../../../../src/maildrop/unique-ids/watch-unique-ids.js';
import { makeMaildir } from '../../../support/mail/open-maildrop.js';

interface Message {
  readonly octets: number;
  readonly uniqueId: string;
  readonly baseName: string;
}

function messages(from: number, to: number): Message[] {
  return Array.from({ length: to - from }, (_, index) => ({
    octets: 100 + from + index,
    uniqueId: `id${from + index}`,
    baseName: `name${from + index}`,
  }));
}

class Watched {
  readonly path: string;
  readonly file: string;

  constructor(t: Test) {
    this.path = makeMaildir(t).path;
    this.file = join(this.path, rememberedIdsName);
  }

  /** One session's end. @returns what was reported, and whether the file was written */
  async end(now: readonly Message[]): Promise<{ reported: object[]; isWritten: boolean }> {
    const before = this.#inode();
    const reported: object[] = [];
    await watchUniqueIds(this.path, now, (event, fields) => reported.push({ event, ...fields }));
    return { reported, isWritten: this.#inode() !== before };
  }

  #inode(): number {
    return existsSync(this.file) ? statSync(this.file).ino : 0;
  }
}

t.test('the first session remembers, an unchanged one writes nothing', async (t) => {
  const watched = new Watched(t);
  t.strictSame(await watched.end(messages(0, 20)), { reported: [], isWritten: true });
  t.strictSame(await watched.end(messages(0, 20)), { reported: [], isWritten: false });
});

t.test('a few new messages, and a few that went, are not written down', async (t) => {
  const watched = new Watched(t);
  await watched.end(messages(0, 20));
  t.strictSame(await watched.end(messages(5, 30)), { reported: [], isWritten: false });
});

t.test('more than twice as many messages, or a quarter gone, are', async (t) => {
  const watched = new Watched(t);
  await watched.end(messages(0, 20));
  t.strictSame(await watched.end(messages(0, 41)), { reported: [], isWritten: true });
  t.strictSame(await watched.end(messages(11, 41)), { reported: [], isWritten: true });
});

t.test('other ids for the same files are told once', async (t) => {
  const watched = new Watched(t);
  await watched.end(messages(0, 20));
  const changed = messages(0, 20).map((message) => ({
    ...message,
    uniqueId: `x${message.octets}`,
  }));
  const { reported, isWritten } = await watched.end(changed);
  t.strictSame(reported, [
    {
      event: 'unique-ids-changed',
      changed: 20,
      of: 20,
      messages: 20,
      file: 'name0',
      before: 'id0',
      now: 'x100',
      why: 'the same files: another --uidl, or the list of ids was made anew',
    },
  ]);
  t.ok(isWritten);
  t.strictSame((await watched.end(changed)).reported, []);
});

t.test('a copy under other names is told', async (t) => {
  const watched = new Watched(t);
  await watched.end(messages(0, 20));
  const copied = messages(0, 20).map(({ octets }) => ({
    octets,
    uniqueId: `copy${octets}`,
    baseName: `copy${octets}`,
  }));
  const { reported } = await watched.end(copied);
  t.match(reported, [{ event: 'unique-ids-changed', changed: 20, why: /renamed or copied/ }]);
});

t.test('a few changed ids are remembered, so that they do not add up', async (t) => {
  const watched = new Watched(t);
  const now = messages(0, 30);
  await watched.end(now);
  for (let from = 0; from < 30; from += 10) {
    for (let at = from; at < from + 10; at += 1) {
      now[at] = { ...(now[at] as Message), uniqueId: `listed${at}` };
    }
    t.strictSame(await watched.end(now), { reported: [], isWritten: true });
  }
});

t.test('where nothing can be written nothing is remembered', async (t) => {
  const watched = new Watched(t);
  // Without tmp nobody can write there, root neither.
  rmdirSync(join(watched.path, 'tmp'));
  t.strictSame(await watched.end(messages(0, 20)), { reported: [], isWritten: false });
});

t.test('a file that was lost costs one warning', async (t) => {
  const watched = new Watched(t);
  await watched.end(messages(0, 20));
  unlinkSync(watched.file);
  const changed = messages(0, 20).map((message) => ({
    ...message,
    uniqueId: `x${message.octets}`,
  }));
  t.strictSame(await watched.end(changed), { reported: [], isWritten: true });
});
