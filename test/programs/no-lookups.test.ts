// A name server that is slow or gone must hold up no connection: neither launcher nor server asks for names, of the peer or of
// itself. Seen with strace(1), from the first connection to the end. (Before that Node reads how it would ask.)

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { unlessTraceable } from '../faults/strace.js';
import { poll } from '../support/suite/deadline.js';
import { expectProgram } from '../support/peers/debian.js';
import { makePasswordDatabase } from '../support/accounts/password-database-fixture.js';
import { builtProgram } from '../support/programs/run-program.js';
import { startTcpsrun, type Tcpsrun } from '../support/programs/tcpsrun-fixture.js';

const pop3d = `program ${process.execPath}
argument node
argument ${builtProgram('pop3d')}
argument --passdb
argument passdb.sqlite
`;

/** What the resolver of the C library, and that of Node, read before they ask; and asking itself. */
const lookup =
  /"\/etc\/(?:resolv\.conf|nsswitch\.conf|host\.conf|hosts|gai\.conf)"|nscd\/socket|sin6?_port=htons\((?:53|5353|853)\)|\/run\/systemd\/resolve|connect\(.*AF_INET/;

interface Traced {
  readonly tcpsrun: Tcpsrun;
  /** Ends tcpsrun. @returns the calls that look for a name */
  readonly lookups: () => Promise<string[]>;
}

async function startTraced(t: Test, runFile: string, ...options: string[]): Promise<Traced> {
  const output = 'trace';
  const tcpsrun = await startTcpsrun(t, {
    runFile,
    options,
    rules: 'default 1\n',
    under: [
      ...[expectProgram('strace'), '-f', '-qq', '-o', output, '-e', 'signal=none'],
      ...['-e', 'trace=open,openat,connect,sendto,sendmsg,sendmmsg,execve,accept4'],
    ],
  });
  makePasswordDatabase(join(tcpsrun.directory, 'passdb.sqlite'), { 'ann@example.org': 'secret' });
  return {
    tcpsrun,
    lookups: async () => {
      // strace passes it on to nobody, so the process below it gets it.
      const trace = (): string => readFileSync(join(tcpsrun.directory, output), 'latin1');
      const [, pid] = /^([0-9]+) /.exec(trace()) ?? [];
      process.kill(Number(pid), 'SIGTERM');
      t.equal((await tcpsrun.program.ending).status, 0);
      const lines = trace().split('\n');
      const first = lines.findIndex((line) => /accept4.* = [0-9]+$/.test(line));
      t.not(first, -1, 'a connection was accepted');
      return lines.slice(first).filter((line) => lookup.test(line));
    },
  };
}

/** One session. @returns all that came */
async function logIn(tcpsrun: Tcpsrun): Promise<string> {
  const client = tcpsrun.connect('127.0.0.9');
  client.socket.write('USER ann@example.org\r\nPASS secret\r\nSTAT\r\nQUIT\r\n');
  const { received } = await client.end();
  client.socket.destroy();
  return received;
}

for (const [way, options] of [
  ['a process for each connection', []],
  ['kept workers', ['--workers', '1']],
] as const) {
  t.test(`${way}: no name is looked up`, { skip: unlessTraceable() }, async (t) => {
    const { tcpsrun, lookups } = await startTraced(t, pop3d, ...options);
    await poll('a session', async () => {
      t.match(await logIn(tcpsrun), /\r\n\+OK 0 0\r\n\+OK/);
      // Until it is ready, connections have processes of their own.
      const [, pid = 'none'] = /worker pid=([0-9]+)/.exec(tcpsrun.program.stderr) ?? [];
      const isDone =
        options.length === 0 || tcpsrun.program.stderr.includes(`level=1 rule=1 pid=${pid}\n`);
      return isDone ? true : undefined;
    });
    t.same(await lookups(), []);
  });
}

t.test('a program that does look is seen', { skip: unlessTraceable() }, async (t) => {
  const { tcpsrun, lookups } = await startTraced(
    t,
    'program getent\nargument getent\nargument ahosts\nargument name.invalid\n',
  );
  await tcpsrun.connect().end();
  t.not((await lookups()).length, 0);
});
