// The order of pop3get's system calls, of which a power cut may leave any beginning: a message is asked to be deleted only
// when file, link and record were each made durable, in that order.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { unlessTraceable } from '../support/suite/path-trace.js';
import {
  makeMaildir,
  numberedMessages,
  startFakeServer,
} from '../support/programs/pop3get-fixture.js';
import { builtProgram, runCommand } from '../support/programs/run-program.js';
import { testFolder } from '../support/suite/test-folder.js';

/** Several groups of messages. */
const messageCount = 150;

/** A system call that did not fail. Other calls began before it ended, or they did not: so it has two places in the trace. */
interface Call {
  readonly name: string;
  readonly args: string;
  readonly beginsAt: number;
  readonly endsAt: number;
}

const traced = ['write', 'pwrite64', 'writev', 'fsync', 'fdatasync', 'link', 'linkat', 'unlink'];

t.test(
  'write, sync, link, sync of new, record, sync, DELE: in this order for every message',
  { skip: unlessTraceable() },
  async (t) => {
    const server = await startFakeServer(t, { messages: numberedMessages(messageCount) });
    const maildir = makeMaildir(t);
    const output = join(testFolder(t, {}), 'trace');
    const { status, stderr } = await runCommand(
      t,
      'strace',
      [
        ...['-f', '-qq', '-y', '-s', '65536', '-e', `trace=${traced.join()}`, '-e', 'signal=none'],
        ...['-o', output, process.execPath, builtProgram('pop3get')],
        ...['--port', String(server.port), '--directory', maildir, '127.0.0.1', 'ann'],
      ],
      { env: { POP3GET_PASSWORD: 'secret' } },
    );
    t.equal(status, 0, stderr);
    const calls = parseCalls(readFileSync(output, 'latin1'));
    const names = readdirSync(join(maildir, 'new'));
    const places = Array.from({ length: messageCount }, (_, index) =>
      orderOf(calls, maildir, index + 1),
    );
    t.same(
      places.filter((place) => place !== 'in order'),
      [],
    );
    t.equal(names.length, messageCount);
    const quit = calls.find(({ args }) => args.includes('<socket:') && args.includes('QUIT\\r\\n'));
    const lastRecord = calls.findLast(({ args }) => args.includes('.journal>, "stored '));
    t.ok(quit !== undefined && lastRecord !== undefined && lastRecord.endsAt < quit.beginsAt);
  },
);

/** @returns "in order", or the first step that did not follow those before it */
function orderOf(calls: readonly Call[], maildir: string, number: number): string {
  const written = calls.find(({ args }) => args.includes(`This is number ${number}.\\n`));
  const [, path = '?', stamp = '?'] =
    /<(\S+\/tmp\/([0-9]+\.M[0-9]+)A[^>]*)>/.exec(written?.args ?? '') ?? [];
  const steps: readonly (readonly [step: string, isIt: (call: Call) => boolean])[] = [
    ['write', (call) => call === written],
    ['sync', ({ name, args }) => name === 'fsync' && args.includes(`<${path}>`)],
    ['link', ({ name, args }) => name.startsWith('link') && args.includes(`/new/${stamp}U`)],
    ['sync of new', ({ name, args }) => name === 'fsync' && args.includes(`<${maildir}/new>`)],
    ['record', ({ args }) => args.includes('.journal>, "stored ') && args.includes(` ${stamp}\\n`)],
    ['sync of the record', ({ name, args }) => name === 'fdatasync' && /\.journal>/.test(args)],
    ['DELE', ({ args }) => args.includes('<socket:') && hasLine(args, `DELE ${number}`)],
  ];
  let last = -1;
  for (const [step, isIt] of steps) {
    const call = calls.find((one) => one.beginsAt > last && isIt(one));
    if (call === undefined) return `message ${number}: no ${step} where it was due`;
    // None of what happens once may have happened before.
    const first = calls.find(isIt);
    if (first !== call && !step.includes('sync of')) return `message ${number}: ${step} too early`;
    last = call.endsAt;
  }
  const removed = calls.find(({ name, args }) => name === 'unlink' && args.includes(`"${path}"`));
  const record = calls.find(steps[4]?.[1] ?? (() => false));
  const isEarly = removed === undefined || removed.beginsAt < (record?.endsAt ?? 0);
  return isEarly ? `message ${number}: its tmp file went before its record was there` : 'in order';
}

/** Whether a written text, as strace prints it, has this command line. */
function hasLine(args: string, line: string): boolean {
  return args.includes(`"${line}\\r\\n`) || args.includes(`\\n${line}\\r\\n`);
}

function parseCalls(trace: string): readonly Call[] {
  const begun = new Map<string, { readonly args: string; readonly beginsAt: number }>();
  return trace.split('\n').flatMap((line, at): Call[] => {
    const [, thread = '', name = '', args = ''] = /^(\d+) +([a-z0-9]+)\((.*)$/.exec(line) ?? [];
    if (args.endsWith('<unfinished ...>')) {
      begun.set(`${thread} ${name}`, { args, beginsAt: at });
      return [];
    }
    if (name !== '') return hasFailed(line) ? [] : [{ name, args, beginsAt: at, endsAt: at }];
    const [, resumed = '', ending = ''] = /^(\d+) +<\.\.\. ([a-z0-9]+) resumed>/.exec(line) ?? [];
    const start = begun.get(`${resumed} ${ending}`);
    return start === undefined || hasFailed(line) ? [] : [{ name: ending, ...start, endsAt: at }];
  });
}

function hasFailed(line: string): boolean {
  return / = -1 [A-Z]+ \(.*\)$/.test(line);
}
