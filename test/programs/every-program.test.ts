// Each program does its work once, as an administrator starts it; `.ci/run` has this on every version of Node that is supported.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { unlessInstalled } from '../support/peers/debian.js';
import { makeOwnedMailRoot } from '../support/mail/owned-mail-root.js';
import {
  builtProgram,
  runCommand,
  runProgram,
  startProgram,
} from '../support/programs/run-program.js';
import { testFolder } from '../support/suite/test-folder.js';

const project = fileURLToPath(new URL('../../../', import.meta.url));
const { bin, version } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as {
  readonly bin: Readonly<Record<string, string>>;
  readonly version: string;
};
const address = 'ann@example.org';
const password = 'open sesame';
const session = `USER ${address}\r\nPASS ${password}\r\nSTAT\r\nRETR 1\r\nQUIT\r\n`;
const served = /^\+OK 1 \d+\r\n\+OK [^]*\r\nhello\r\n\.\r\n\+OK/m;

function makeMail(t: Test): string {
  const root = makeOwnedMailRoot(t);
  root.inbox.add('Subject: x\n\nhello\n');
  return root.cwd;
}

/** Serves a mail root with the run file of the project. */
async function serve(t: Test, mailRoot: string, options: readonly string[]): Promise<string> {
  const tcpsrun = startProgram(
    t,
    'tcpsrun',
    [...options, '127.0.0.1', '0', join(project, 'run/pop3.run')],
    { env: { MAILROOT: mailRoot, POP3D: builtProgram('pop3d') } },
  );
  const [, port = ''] = await tcpsrun.logLine(/listening .*port=(\d+)/);
  return port;
}

for (const name of Object.keys(bin)) {
  t.test(`${name} --version and --help`, async (t) => {
    const told = await runProgram(t, name, ['--version']);
    t.match(told, { status: 0, stderr: '', stdout: Buffer.from(`${name} ${version}\n`) });
    const help = await runProgram(t, name, ['--help']);
    t.match(help, { status: 0, stderr: '' });
    const [, page = ''] = /^Manual: man (.*)$/m.exec(help.stdout.toString()) ?? [];
    t.ok(existsSync(page), `the manual is where it says: ${page}`);
    const mistaken = await runProgram(t, name, ['/hlep']);
    t.match(mistaken, { status: 100, stderr: `${name}: unknown option /hlep, and no file\n` });
  });
}

t.test('passdb adds, lists and checks a user', async (t) => {
  const cwd = testFolder(t);
  const passdb = (...args: readonly string[]): ReturnType<typeof runProgram> =>
    runProgram(t, 'passdb', args, { cwd, input: `${password}\n` });
  t.match(await passdb('add', address), { status: 0, stderr: '' });
  t.match((await passdb('list')).stdout.toString(), `${address}\tARGON2ID\tactive\n`);
  t.match(await passdb('check', address), { status: 0, stderr: '' });
});

t.test('tcprule adds a rule and finds it', async (t) => {
  const cwd = testFolder(t);
  t.match(await runProgram(t, 'tcprule', ['rules', 'add', '192.0.2.0/24', '2'], { cwd }), {
    status: 0,
  });
  const { stdout } = await runProgram(t, 'tcprule', ['rules', 'query', '192.0.2.7'], { cwd });
  t.match(stdout.toString(), /192\.0\.2\.0\/24/);
});

t.test('pop3d serves a session on stdin and stdout', async (t) => {
  const { stdout, status } = await runProgram(t, 'pop3d', [], { cwd: makeMail(t), input: session });
  t.match(stdout.toString(), served);
  t.equal(status, 0);
});

t.test('pop3record writes the session down', async (t) => {
  const folder = testFolder(t);
  const args = [folder, '--', process.execPath, builtProgram('pop3d')];
  const { stdout } = await runProgram(t, 'pop3record', args, { cwd: makeMail(t), input: session });
  t.match(stdout.toString(), served);
  const [file = ''] = readdirSync(folder);
  const record = readFileSync(join(folder, file), 'utf8');
  t.match(record, /C: STAT/);
  t.notMatch(record, password);
});

for (const options of [[], ['--workers', '1']]) {
  t.test(`tcpsrun ${options.join(' ')} serves, and pop3get fetches`, async (t) => {
    const port = await serve(t, makeMail(t), options);
    const directory = testFolder(t, { new: {}, cur: {}, tmp: {} });
    const args = ['--port', port, '--directory', directory, '127.0.0.1', address];
    const env = { POP3GET_PASSWORD: password };
    const { status, stderr } = await runProgram(t, 'pop3get', args, { env });
    t.equal(status, 0, stderr);
    const [name = ''] = readdirSync(join(directory, 'new'));
    t.match(readFileSync(join(directory, 'new', name), 'utf8'), /\n\nhello\n$/);
  });
}

t.test('curl reads a message', { skip: unlessInstalled('curl') }, async (t) => {
  const port = await serve(t, makeMail(t), []);
  const { stdout } = await runCommand(t, 'curl', [
    ...['-s', '-u', `${address}:${password}`, `pop3://127.0.0.1:${port}/1`],
  ]);
  t.match(stdout.toString(), /hello/);
});

t.test('runsvc runs what its run file says', async (t) => {
  const cwd = testFolder(t, { 'echo.run': 'program echo\nargument echo\nargument %1\n' });
  const { stdout, status } = await runProgram(t, 'runsvc', ['--once', 'echo.run', 'hello'], {
    cwd,
  });
  t.match({ text: stdout.toString(), status }, { text: 'hello\n', status: 0 });
});
