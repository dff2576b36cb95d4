// SIGUSR1 made Node open its debugger for everybody on the machine, in every program but tcpsrun
// and runsvc.

import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { runProgram, startProgram } from '../support/programs/run-program.js';
import { poll } from '../support/suite/deadline.js';
import { testFolder } from '../support/suite/test-folder.js';

const root = new URL('../../../', import.meta.url);
const { bin } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as {
  readonly bin: Readonly<Record<string, string>>;
};
const names = [...Object.keys(bin), 'src/programs/demonstration.cjs'];

/**
 * Code that runs in the program before its first statement, and writes down whether the debugger is
 * open. The signal wakes a thread of Node's, which asks the program's own thread to open it, and
 * ends the program with SIGABRT when that has ended meanwhile: the program's end waits for it.
 */
const preload = (isAwaited: boolean): string => `
const { appendFileSync } = require('node:fs');
const { url } = require('node:inspector');
const look = (when) => appendFileSync(process.env.RESULT, when + ' ' + (url() ?? 'shut') + '\\n');
let isOpened = false;
process.on('internalMessage', ({ cmd }) => {
  if (cmd === 'NODE_DEBUG_ENABLED') isOpened = true;
});
process.kill(process.pid, 'SIGUSR1');
${isAwaited ? 'while (url() === undefined);' : ''}
setImmediate(() => {
  look('loop');
  process.kill(process.pid, 'SIGUSR1');
});
setTimeout(() => look('later'), 20).unref();
process.on('exit', () => {
  while (!isOpened);
  look('exit');
});
`;

for (const name of names) {
  t.test(`${name} shuts a debugger that was opened before its first statement`, async (t) => {
    const folder = testFolder(t, { 'opened.cjs': preload(true), 'signalled.cjs': preload(false) });
    for (const when of ['opened', 'signalled']) {
      const result = join(folder, `${when}.txt`);
      const { status, signal, stdout, stderr } = await runProgram(t, name, ['--help'], {
        env: {
          // A free port: the usual one may be another program's, and then no debugger is opened.
          NODE_OPTIONS: `--inspect-port=0 --require=${join(folder, `${when}.cjs`)}`,
          RESULT: result,
        },
      });
      t.same({ status, signal }, { status: 0, signal: null }, `${when}: ${stderr}`);
      t.match(stdout.toString(), /^usage: /);
      const looks = readFileSync(result, 'utf8').trimEnd().split('\n');
      t.match(looks.at(-1), /^exit /);
      t.same(
        looks.filter((look) => !look.endsWith(' shut')),
        [],
        when,
      );
    }
  });
}

/** The local addresses at which a process listens on TCP, as /proc shows them. */
function listeningAddresses(pid: number): string[] {
  const sockets = new Set<string>();
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    try {
      sockets.add(readlinkSync(`/proc/${pid}/fd/${fd}`));
    } catch {
      // Closed meanwhile.
    }
  }
  return readFileSync('/proc/net/tcp', 'latin1')
    .split('\n')
    .map((line) => line.trim().split(/ +/))
    .filter(([, , , state, , , , , , inode]) => state === '0A' && sockets.has(`socket:[${inode}]`))
    .map(([, address = '']) => address);
}

t.test('pop3d answers, and nothing listens, whenever it gets the signal', async (t) => {
  let livedThrough = 0;
  // Node blocks the signal early in its start; before that it ends a process, as other signals do.
  for (let afterMs = 0; afterMs < 120; afterMs += 6) {
    const pop3d = startProgram(t, 'pop3d');
    const greeted = once(pop3d.stdout, 'data').then(() => true);
    await delay(afterMs);
    pop3d.kill('SIGUSR1');
    if (!(await Promise.race([greeted, pop3d.ending.then(() => false)]))) {
      t.equal((await pop3d.ending).signal, 'SIGUSR1');
      continue;
    }
    pop3d.kill('SIGUSR1');
    pop3d.stdin.write('CAPA\r\n');
    await once(pop3d.stdout, 'data');
    // It may be about to shut what the first signal opened.
    await poll('pop3d does not listen', () => when(listeningAddresses(pop3d.pid).length === 0));
    const { status } = await pop3d.finish('QUIT\r\n');
    t.equal(status, 0);
    livedThrough += 1;
  }
  t.ok(livedThrough > 0);
});

t.test('programs that run for long do not listen after many signals', async (t) => {
  const folder = testFolder(t, { records: {} });
  const server = join(folder, 'server');
  writeFileSync(server, '#!/bin/sh\ntrap "" USR1\necho up\nexec sleep 60\n', { mode: 0o755 });
  writeFileSync(join(folder, 'server.run'), `program ${server}\nargument server\n`);
  for (const [name, ...args] of [
    ['tcpsrun', '127.0.0.1', '0', join(folder, 'server.run')],
    ['runsvc', join(folder, 'server.run')],
    ['pop3record', join(folder, 'records'), server],
  ] as const) {
    const program = startProgram(t, name, args);
    const expected = name === 'tcpsrun' ? 1 : 0;
    if (name === 'tcpsrun') await program.logLine(/listening/);
    else await once(program.stdout, 'data');
    for (let count = 0; count < 50; count += 1) program.kill('SIGUSR1');
    // Time for what should not happen.
    await delay(50);
    t.equal(listeningAddresses(program.pid).length, expected, name);
    // It passes this on to what it started.
    program.kill('SIGTERM');
    await program.ending;
  }
});

function when(isSo: boolean): Promise<true | undefined> {
  return Promise.resolve(isSo ? true : undefined);
}
