// Eight POP3 sessions at a time on a maildrop in which other programs do 1,000 operations a second: deliver, flag, move,
// expunge. TORTURE_SECONDS sets the length (20).

import { join } from 'node:path';
import t from 'tap';
import { makeInbox } from '../support/mail/maildir-fixture.js';
import { makePasswordDatabase } from '../support/accounts/password-database-fixture.js';
import { builtProgram, startCommand, startProgram } from '../support/programs/run-program.js';
import { WireClient } from '../support/sessions/wire-client.js';
import { follow } from './follow-churn.js';
import { Ledger } from './ledger.js';
import { serialOf } from './numbered-message.js';
import { RandomSession, type SessionCounts } from './random-session.js';
import { seededRandom } from './random.js';
import { testFolder } from '../support/suite/test-folder.js';

const seconds = Number(process.env['TORTURE_SECONDS'] ?? '20');
const messageCount = 5000;
const operationsPerSecond = 1000;
const sessionCount = 8;
const seed = 1939;

t.setTimeout((seconds + 900) * 1000);

t.test('no session is told anything wrong, and only QUIT removes what was marked', async (t) => {
  const mailRoot = testFolder(t, {});
  makePasswordDatabase(join(mailRoot, 'passdb.sqlite'), { 'ann@example.org': 'open sesame' });
  const inbox = makeInbox(mailRoot, 'ann@example.org');
  const ledger = new Ledger();
  const churn = startCommand(t, process.execPath, [
    builtProgram('test/torture/churn.js'),
    inbox.path,
    ...[messageCount, operationsPerSecond, seconds, seed].map(String),
  ]);
  const { ready, end } = follow(churn.stdout, ledger);
  await ready;

  const counts: SessionCounts = { commands: 0, retrieved: 0, removed: 0 };
  const untilMs = performance.now() + seconds * 1000;
  const runSessions = async (ownSeed: number): Promise<void> => {
    const random = seededRandom(ownSeed);
    while (performance.now() < untilMs) {
      const pop3d = startProgram(t, 'pop3d', [], { cwd: mailRoot });
      const client = new WireClient(pop3d.stdout, pop3d.stdin);
      await new RandomSession(client, ledger, random, counts).run('ann@example.org', 'open sesame');
      const { status, signal } = await pop3d.ending;
      t.strictSame({ status, signal }, { status: 0, signal: null }, pop3d.stderr);
    }
  };
  await Promise.all(
    Array.from({ length: sessionCount }, (_, index) => runSessions(seed + index + 1)),
  );
  const operations = await end;

  t.comment(
    `${operations} operations, ${ledger.deliveredCount} deliveries, ${ledger.openingCount} sessions, ` +
      `${counts.commands} commands, ${counts.retrieved} retrieved, ${counts.removed} removed, ` +
      `${ledger.missedCount} times gone`,
  );
  t.ok(operations > 0.05 * operationsPerSecond * seconds, 'other programs were at work');
  t.ok(ledger.missedCount > 0 && counts.retrieved > 0 && counts.removed > 0, 'it was worth while');
  t.strictSame(ledger.falselyMissed(), [], 'no message was called gone that was there');
  t.strictSame(ledger.falselyUnlisted(), [], 'no message was left out of a session');
  const left = [...inbox.names('new'), ...inbox.names('cur')].map(serialOf).sort((a, b) => a - b);
  t.strictSame(left, ledger.remaining(), 'what is left is what nobody removed');
});
