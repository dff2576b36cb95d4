// What programs inherit from tcpsrun and runsvc: descriptors, signals and environment, however the launchers were started.

import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import {
  builtProgram,
  startCommand,
  type RunningProgram,
} from '../support/programs/run-program.js';
import { testFolder } from '../support/suite/test-folder.js';

/** Prints its descriptors (the last is of `ls` itself), its signals and its environment to stderr. */
const describe =
  "(echo begin; ls /proc/self/fd; grep ^Sig /proc/self/status; tr '\\0' '\\n' < /proc/self/environ; echo end) >&2";

interface Inherited {
  readonly descriptors: readonly string[];
  readonly signals: Readonly<Record<string, string>>;
  readonly environment: ReadonlyMap<string, string>;
}

/** Set for the launcher; none of them is for its programs. */
const hostile: Readonly<Record<string, string>> = {
  NODE_OPTIONS: '--max-old-space-size=300',
  NODE_PATH: '/nonexistent',
  NODE_EXTRA_CA_CERTS: '/dev/null',
  UV_USE_IO_URING: '0',
  LD_LIBRARY_PATH: '/nonexistent',
  LD_BIND_NOW: '1',
  LD_AUDIT: '/nonexistent',
  LD_PRELOAD: '/nonexistent',
  GCONV_PATH: '/nonexistent',
  HOSTALIASES: '/nonexistent',
  GLIBC_TUNABLES: 'glibc.malloc.check=0',
  MALLOC_ARENA_MAX: '2',
  OPENSSL_CONF: '/dev/null',
  SSLKEYLOGFILE: '/dev/null',
  BASH_ENV: '/dev/null',
  PYTHONPATH: '/nonexistent',
  PYTHONSTARTUP: '/nonexistent',
  PERL5LIB: '/nonexistent',
  PERL5OPT: '-Mstrict',
  RUBYOPT: '-w',
  LISTEN_FDNAMES: 'x',
  NOTIFY_SOCKET: '/nonexistent',
  SSH_AUTH_SOCK: '/nonexistent',
};

/** Starts a launcher with hostile variables, signals ignored and blocked, and descriptors left open. */
function startLauncher(t: Test, cwd: string, args: readonly string[]): RunningProgram {
  const [name = '', ...rest] = args;
  return startCommand(
    t,
    '/bin/bash',
    [
      '-c',
      'exec 5</dev/null 31</dev/null 97</dev/null; exec "$@"',
      'bash',
      'env',
      '--ignore-signal=HUP,QUIT,ALRM,USR2',
      '--block-signal=ALRM,USR2,VTALRM',
      ...Object.entries({ ...hostile, KEPT: 'yes' }).map(([key, value]) => `${key}=${value}`),
      process.execPath,
      builtProgram(name),
      ...rest,
    ],
    { cwd },
  );
}

/** Reads what `describe` printed. */
async function inheritedBy(program: RunningProgram): Promise<Inherited> {
  await program.logLine(/^end$/);
  const text = /^begin\n(.*?)^end$/ms.exec(program.stderr)?.[1] ?? '';
  const lines = text.trimEnd().split('\n');
  return {
    descriptors: lines.filter((line) => /^[0-9]+$/.test(line)).slice(0, -1),
    signals: Object.fromEntries(
      [...text.matchAll(/^(Sig(?:Ign|Blk|Pnd)):\s*(\S+)$/gm)].map(([, key, value]) => [
        key ?? '',
        value ?? '',
      ]),
    ),
    environment: new Map(
      [...text.matchAll(/^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/gm)].map(([, key = '', value = '']) => [
        key,
        value,
      ]),
    ),
  };
}

const none = '0'.repeat(16);

/** @param more variables that the launcher may add */
function checkInherited(t: Test, inherited: Inherited, more: readonly string[] = []): void {
  t.same(inherited.signals, { SigPnd: none, SigBlk: none, SigIgn: none }, 'default signals');
  t.equal(inherited.environment.get('KEPT'), 'yes', 'ordinary variables are inherited');
  const found = Object.keys(hostile).filter(
    (name) => !more.includes(name) && inherited.environment.has(name),
  );
  t.same(found, [], 'none that was meant for the launcher');
  const runtimes = [...inherited.environment.keys()].filter(
    (name) => /^(?:NODE_|LD_|LISTEN_)/.test(name) && !more.includes(name),
  );
  t.same(runtimes, []);
}

const script = `program /bin/sh\nargument sh\nargument -c\n`;

t.test('a program for one connection inherits 0, 1 and 2', async (t) => {
  const cwd = testFolder(t, { 'x.run': `${script}argument "${describe}"\n` });
  const program = startLauncher(t, cwd, ['tcpsrun', '127.0.0.1', '0', 'x.run']);
  const [, port = ''] = await program.logLine(/listening.*\bport=(\d+)/);
  const client = connect(Number(port), '127.0.0.1').resume();
  const inherited = await inheritedBy(program);
  client.destroy();
  checkInherited(t, inherited);
  t.same(inherited.descriptors, ['0', '1', '2']);
});

t.test('with %3 in its run file it inherits the connection as well', async (t) => {
  const cwd = testFolder(t, { 'x.run': `${script}argument "${describe}"\nargument %3\n` });
  const program = startLauncher(t, cwd, ['tcpsrun', '127.0.0.1', '0', 'x.run']);
  const [, port = ''] = await program.logLine(/listening.*\bport=(\d+)/);
  const client = connect(Number(port), '127.0.0.1').resume();
  const inherited = await inheritedBy(program);
  client.destroy();
  checkInherited(t, inherited);
  t.same(inherited.descriptors, ['0', '1', '2', '3']);
});

t.test('a kept worker inherits 0, 1, 2 and its channel', async (t) => {
  const cwd = testFolder(t, {});
  const worker = `exec ${process.execPath} ${builtProgram('test/support/programs/line-worker.js')}`;
  writeFileSync(join(cwd, 'x.run'), `${script}argument "${describe}; ${worker}"\n`);
  const program = startLauncher(t, cwd, ['tcpsrun', '--workers', '1', '127.0.0.1', '0', 'x.run']);
  const inherited = await inheritedBy(program);
  checkInherited(t, inherited, ['NODE_CHANNEL_FD', 'NODE_CHANNEL_SERIALIZATION_MODE']);
  t.same(inherited.descriptors, ['0', '1', '2', '3']);
  t.equal(inherited.environment.get('NODE_CHANNEL_FD'), '3');
});

t.test('a service of runsvc inherits 0, 1 and 2', async (t) => {
  const cwd = testFolder(t, { 'x.run': `${script}argument "${describe}"\n` });
  const inherited = await inheritedBy(startLauncher(t, cwd, ['runsvc', '--once', 'x.run']));
  checkInherited(t, inherited);
  t.same(inherited.descriptors, ['0', '1', '2']);
});

t.test('setenv of the run file gives a program what it needs of them', async (t) => {
  const lines = 'setenv NODE_OPTIONS --no-warnings\nsetenv LD_LIBRARY_PATH /opt/lib\n';
  const cwd = testFolder(t, { 'x.run': `${lines}${script}argument "${describe}"\n` });
  const inherited = await inheritedBy(startLauncher(t, cwd, ['runsvc', '--once', 'x.run']));
  checkInherited(t, inherited, ['NODE_OPTIONS', 'LD_LIBRARY_PATH']);
  t.equal(inherited.environment.get('NODE_OPTIONS'), '--no-warnings');
  t.equal(inherited.environment.get('LD_LIBRARY_PATH'), '/opt/lib');
});
