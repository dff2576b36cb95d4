// pop3get beside mpop: 5,000 messages of 4 kB from pop3d on loopback, 1,000 messages over round trips of 50 ms, and the memory
// that 50,000 messages take.
// All make each message durable (fsync), and take turns. Run it with: node build/bench/pop3get.js [--before CHECKOUT] [--rounds N]
// [DIR], where DIR is on the disk to measure, and CHECKOUT is another one that is built: its pop3get takes part as "before".

import { spawnSync } from 'node:child_process';
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { makePasswordDatabase } from '../test/support/accounts/password-database-fixture.js';
import {
  builtProgram,
  startCommand,
  startProgram,
  type Teardown,
} from '../test/support/programs/run-program.js';
import { startDelayingProxy } from './delaying-proxy.js';
import { median } from './rounds.js';

const password = 'open sesame';
const user = 'ann@example.org';
const oneWayMs = 25;
const { values, positionals } = parseArgs({
  options: { before: { type: 'string' }, rounds: { type: 'string', default: '3' } },
  allowPositionals: true,
});
const [place = tmpdir()] = positionals;
const rounds = Number(values.rounds);

const teardowns: (() => Promise<void>)[] = [];
const t: Teardown = { teardown: (handler) => teardowns.push(handler) };

const folder = mkdtempSync(join(place, 'bench-pop3get-'));
try {
  console.log(`Node ${process.version}, ${cpus().length} cores, ${folder}`);
  console.log(versionOfMpop());
  const port = await startServer();
  await compare('5,000 messages of 4 kB on loopback', { count: 5000, octets: 4096, port, rounds });
  const proxy = await startDelayingProxy(port, oneWayMs);
  const slow = { count: 1000, octets: 1024, port: proxy.port, rounds };
  await compare(`1,000 messages of 1 kB, round trips of ${2 * oneWayMs} ms`, slow);
  proxy.close();
  const many = { count: 50_000, octets: 4096, port, rounds: 1 };
  await compare('50,000 messages of 4 kB on loopback, for the memory', many);
} finally {
  for (const teardown of teardowns.reverse()) await teardown();
  rmSync(folder, { recursive: true, force: true });
}

function versionOfMpop(): string {
  const { status, stdout } = spawnSync('mpop', ['--version'], { encoding: 'utf8' });
  return status === 0 ? (stdout.split('\n')[0] ?? '') : 'no mpop';
}

async function startServer(): Promise<number> {
  makePasswordDatabase(join(folder, 'passdb.sqlite'), { [user]: `{PLAIN}${password}` });
  const runFile = join(folder, 'pop3.run');
  writeFileSync(
    runFile,
    `chdir "${folder}"\nprogram "${process.execPath}"\nargument node\nargument "${builtProgram('pop3d')}"\n`,
  );
  const program = startProgram(t, 'tcpsrun', ['--workers', '2', '127.0.0.1', '0', runFile]);
  const [, port] = await program.logLine(/listening.*\bport=(\d+)/);
  return Number(port);
}

interface Download {
  readonly count: number;
  readonly octets: number;
  readonly port: number;
  readonly rounds: number;
}

async function compare(title: string, { count, octets, port, rounds }: Download): Promise<void> {
  console.log(`\n${title}`);
  const source = makeMessages(count, octets);
  const clients = {
    pop3get: pop3getCommand(builtProgram('pop3get')),
    ...(values.before === undefined
      ? {}
      : { before: pop3getCommand(resolve(values.before, 'build/src/programs/pop3get.cjs')) }),
    ...(spawnSync('mpop', ['--version']).status === 0 ? { mpop: mpopCommand } : {}),
  };
  const seconds: Record<string, number[]> = {};
  const mebibytes: Record<string, number> = {};
  for (let round = 1; round <= rounds; round += 1) {
    for (const [name, command] of Object.entries(clients)) {
      fillMaildrop(source);
      const maildir = join(folder, `to-${name}-${count}-${round}`);
      for (const part of ['new', 'cur', 'tmp']) mkdirSync(join(maildir, part), { recursive: true });
      const [program = '', ...args] = command(port, maildir);
      if (round === 1) console.log(`  ${name}: ${[program, ...args].join(' ')}`);
      const startedAt = performance.now();
      const client = startCommand(t, program, args, { env: { POP3GET_PASSWORD: password } });
      const look = setInterval(() => {
        mebibytes[name] = Math.max(mebibytes[name] ?? 0, largestResident(client.pid));
      }, 20);
      const { status, stderr } = await client.finish('', 180_000);
      clearInterval(look);
      const elapsed = (performance.now() - startedAt) / 1000;
      const stored = readdirSync(join(maildir, 'new')).length;
      if (status !== 0 || stored !== count) {
        throw new Error(`${name} ended with ${status}, ${stored} stored: ${stderr}`);
      }
      (seconds[name] ??= []).push(elapsed);
      if (name === 'mpop') rmSync(join(folder, 'uidls'), { force: true });
    }
  }
  for (const [name, times] of Object.entries(seconds)) {
    const all = times.map((time) => time.toFixed(2)).join(', ');
    const [best, middle] = [Math.min(...times), median(times)].map((time) => time.toFixed(2));
    const memory = `at most ${mebibytes[name]?.toFixed(0) ?? '?'} MiB resident`;
    console.log(
      `  ${name.padEnd(8)} best ${best ?? ''} s, median ${middle ?? ''} s of ${all}; ${memory}`,
    );
  }
}

/** MiB that a process has had resident at most; 0 for one that has ended. */
function largestResident(pid: number): number {
  try {
    const [, kibibytes] =
      /^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? [];
    return Number(kibibytes ?? 0) / 1024;
  } catch {
    return 0;
  }
}

type Command = (port: number, maildir: string) => readonly string[];

function pop3getCommand(program: string): Command {
  return (port, maildir) => {
    const args = ['--port', String(port), '--directory', maildir, '--quiet', '127.0.0.1', user];
    return [process.execPath, program, ...args];
  };
}

function mpopCommand(port: number, maildir: string): readonly string[] {
  return [
    'mpop',
    '--host=127.0.0.1',
    `--port=${port}`,
    `--user=${user}`,
    `--passwordeval=echo ${password}`,
    '--auth=user',
    '--tls=off',
    '--keep=off',
    '--quiet',
    `--uidls-file=${join(folder, 'uidls')}`,
    `--delivery=maildir,${maildir}`,
  ];
}

function makeMessages(count: number, octets: number): string {
  const source = join(folder, `source-${count}`);
  if (existsSync(source)) return source;
  for (const part of ['new', 'cur', 'tmp']) mkdirSync(join(source, part), { recursive: true });
  const line = `${'m'.repeat(75)}\n`;
  for (let number = 1; number <= count; number += 1) {
    const header = `Subject: message ${number}\n\n`;
    const text = header + line.repeat(Math.floor((octets - header.length) / line.length));
    writeFileSync(
      join(source, 'new', `1700000000.M${String(number).padStart(6, '0')}.bench`),
      text,
    );
  }
  return source;
}

/**
 * With links, so that no inode is freed when the server deletes messages: ext4 gives none of those to a new file for minutes
 * and looks at each of them whenever one is made, which would slow each round more than the one before.
 */
function fillMaildrop(source: string): void {
  const inbox = join(folder, 'example.org', 'ann', 'INBOX');
  for (const part of ['new', 'cur', 'tmp']) mkdirSync(join(inbox, part), { recursive: true });
  for (const name of readdirSync(join(source, 'new'))) {
    linkSync(join(source, 'new', name), join(inbox, 'new', name));
  }
}
