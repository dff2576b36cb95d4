// What a kept worker tells clients while its database is stopped, killed, cut off, hangs, is slow or comes back.

import { mkdtempSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { isDecided, isHonest, LoginStream } from '../support/accounts/login-stream.js';
import { makeInbox } from '../support/mail/maildir-fixture.js';
import { makeCutOffHost, unlessCutOffHost } from '../support/peers/cut-off-host.js';
import { startMariadb, unlessMariadb } from '../support/peers/mariadb.js';
import { startPostgresql, unlessPostgresql } from '../support/peers/postgresql.js';
import { startMailServer } from '../support/programs/mail-server.js';
import { poll } from '../support/suite/deadline.js';

t.setTimeout(300_000);

const accounts = `CREATE TABLE users (username VARCHAR(255), domain VARCHAR(255), password TEXT NOT NULL,
  active CHAR(1) NOT NULL DEFAULT 'Y', PRIMARY KEY (username, domain));
  INSERT INTO users VALUES ('ann', 'example.org', '{PLAIN}secret', 'Y');`;

/** The contract's 5 s, and what a loaded machine adds. */
const longestMs = 12_000;

interface Served {
  readonly stream: LoginStream;
  /** How many descriptors the worker has open. */
  descriptors(): number;
  /** What to compare later with. */
  see(): Promise<void>;
}

async function serve(t: Test, passdb: string): Promise<Served> {
  const mailRoot = mkdtempSync(join(tmpdir(), 'database-outages-'));
  t.teardown(() => rm(mailRoot, { recursive: true, force: true }));
  makeInbox(mailRoot, 'ann@example.org');
  const { port, program } = await startMailServer(t, mailRoot, {
    env: { PASSDB: passdb, FAILURE_DELAY: '0' },
    args: ['--workers', '1', '--per-source', '2000', '--concurrency', '2000', '--backlog', '2000'],
  });
  const [, worker] = await program.logLine(/: worker pid=([0-9]+)/);
  const stream = new LoginStream(port);
  t.teardown(() => stream.end());
  return {
    stream,
    descriptors: () => readdirSync(`/proc/${String(worker)}/fd`).length,
    async see() {
      await stream.end();
      const { answers, faults } = stream;
      t.same(faults, [], 'every login got an answer');
      t.same(
        answers.filter((answer) => !isHonest(answer)),
        [],
        'no answer was untrue',
      );
      const latest = Math.max(...answers.map(({ tookMs }) => tookMs));
      t.ok(
        latest < longestMs,
        `of ${answers.length} the latest answer came after ${latest.toFixed(0)} ms`,
      );
    },
  };
}

t.test(
  'PostgreSQL stopped, killed, hanging, slow and back: no untrue answer, none late, nothing grows',
  { skip: unlessPostgresql() },
  async (t) => {
    const [first, second] = [
      await startPostgresql(t, accounts),
      await startPostgresql(t, accounts),
    ];
    const hosts = `${first.folder},${second.folder}`;
    const served = await serve(t, `postgresql:///mail?host=${hosts}&user=postgres`);
    const { stream } = served;
    t.ok((await stream.next(20)).every(isDecided), 'both hosts up: all are decided');
    const atFirst = served.descriptors();
    await first.stop();
    t.ok((await stream.next(40)).some(isDecided), 'the first host stopped: the second serves');
    await first.start();
    await second.kill();
    t.ok((await stream.next(40)).some(isDecided), 'the second host killed: the first serves');
    await second.start();
    first.freeze();
    t.ok((await stream.next(200)).some(isDecided), 'the first host hangs: the second serves');
    second.freeze();
    t.notOk((await stream.next(60)).some(isDecided), 'both hang: nothing is made up');
    first.thaw();
    second.thaw();
    await poll('an answer after both went on', async () =>
      (await stream.next(5)).every(isDecided) ? true : undefined,
    );
    // As another program's long transaction does.
    const locking = 'BEGIN; LOCK TABLE users; SELECT pg_sleep(3); COMMIT';
    await Promise.all([first.sql(locking), second.sql(locking)]);
    await poll('an answer after the tables were locked', async () =>
      (await stream.next(5)).every(isDecided) ? true : undefined,
    );
    await Promise.all([first.kill(), second.kill()]);
    t.notOk((await stream.next(40)).some(isDecided), 'both killed: nothing is made up');
    await first.start();
    await poll('an answer after the first was started', async () =>
      (await stream.next(5)).every(isDecided) ? true : undefined,
    );
    await served.see();
    await poll('descriptors as at first', () =>
      Promise.resolve(served.descriptors() <= atFirst + 2 ? true : undefined),
    );
  },
);

t.test(
  'PostgreSQL cut off without a word, and back: no untrue answer, none late; a second host serves',
  { skip: unlessPostgresql() || unlessCutOffHost() },
  async (t) => {
    const host = makeCutOffHost(t);
    const { address } = host;
    await startPostgresql(t, accounts, {
      settings: `listen_addresses = '${address}'`,
      access: 'host all all samenet trust',
      within: host.command,
    });
    const second = await startPostgresql(t, accounts);
    const database = 'postgresql:///mail?user=postgres&host=';
    const alone = await serve(t, `${database}${address}`);
    const paired = await serve(t, `${database}${address},${second.folder}`);
    const streams = [alone.stream, paired.stream];
    const isDecidedByAll = async (): Promise<true | undefined> => {
      const answers = await Promise.all(streams.map((stream) => stream.next(20)));
      return answers.flat().every(isDecided) ? true : undefined;
    };
    t.ok(await isDecidedByAll(), 'all are decided');
    const atFirst = [alone.descriptors(), paired.descriptors()];
    host.cut();
    const cutMs = performance.now();
    const [lost] = await Promise.all([
      alone.stream.next(270),
      poll('the second host serves', async () =>
        (await paired.stream.next(50)).every(isDecided) ? true : undefined,
      ),
    ]);
    t.notOk(lost.some(isDecided), 'cut off: nothing is made up');
    t.comment(`mended after ${(performance.now() - cutMs).toFixed(0)} ms`);
    host.mend();
    await poll('answers after it was mended', isDecidedByAll);
    await alone.see();
    await paired.see();
    await poll('descriptors as at first', () =>
      Promise.resolve(
        [alone, paired].every((served, index) => served.descriptors() <= (atFirst[index] ?? 0) + 2)
          ? true
          : undefined,
      ),
    );
  },
);

t.test(
  'MariaDB killed, hanging, slow and back: no untrue answer, none late, nothing grows',
  { skip: unlessMariadb() },
  async (t) => {
    const server = await startMariadb(t, accounts);
    const served = await serve(t, server.uri);
    const { stream } = served;
    t.ok((await stream.next(20)).every(isDecided));
    const atFirst = served.descriptors();
    await server.kill();
    t.notOk((await stream.next(40)).some(isDecided), 'killed: nothing is made up');
    await server.start();
    const isBack = (): Promise<true> =>
      poll('answers again', async () =>
        (await stream.next(5)).every(isDecided) ? true : undefined,
      );
    await isBack();
    server.freeze();
    t.notOk((await stream.next(60)).some(isDecided), 'hanging: nothing is made up');
    server.thaw();
    await isBack();
    await server.sql('LOCK TABLES users WRITE; SELECT SLEEP(3); UNLOCK TABLES');
    await isBack();
    await served.see();
    await poll('descriptors as at first', () =>
      Promise.resolve(served.descriptors() <= atFirst + 2 ? true : undefined),
    );
  },
);
