// What TLS costs a process that keeps many sessions: memory for each that is logged in, beside the same in the clear, and
// full handshakes per second, beside Dovecot's with one client. Usage: node build/bench/tls.js [sessions [handshakes]]

import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificate, type CertificateFiles } from '../test/support/accounts/certificate.js';
import { startDovecot, unlessDovecot } from '../test/support/peers/dovecot.js';
import { makeInbox } from '../test/support/mail/maildir-fixture.js';
import { makePasswordDatabase } from '../test/support/accounts/password-database-fixture.js';
import { builtProgram, startCommand } from '../test/support/programs/run-program.js';
import { startTls } from '../test/support/sessions/tls-conversation.js';
import { WireClient } from '../test/support/sessions/wire-client.js';

const sessions = Number(process.argv[2] ?? 200);
const handshakes = Number(process.argv[3] ?? 400);
const rounds = 3;
const concurrency = 8;
const user = 'ann@example.org';
const password = 'open sesame';

const teardowns: (() => Promise<void>)[] = [];
const t = { teardown: (handler: () => Promise<void>) => teardowns.unshift(handler) };

interface Kept {
  readonly port: number;
  readonly pid: number;
}

async function startKept(folder: string, { cert, key }: CertificateFiles): Promise<Kept> {
  const passdb = join(folder, 'passdb.sqlite');
  const inbox = join(folder, 'example.org', 'ann', 'INBOX');
  const program = startCommand(t, process.execPath, [
    ...[builtProgram('bench/tls-server.js'), cert, key, passdb, inbox],
  ]);
  const port = await new Promise<string>((resolve) => {
    program.stdout.once('data', (bytes: Buffer) => resolve(bytes.toString()));
  });
  return { port: Number(port), pid: program.pid };
}

/** Resident memory of a process, KiB. */
function residentKiB(pid: number): number {
  const [, kiB] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? [];
  return Number(kiB);
}

async function login(client: WireClient): Promise<void> {
  await client.ok(`USER ${user}`);
  await client.ok(`PASS ${password}`);
}

async function openClear(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' });
  const client = new WireClient(socket, socket);
  await client.status();
  await login(client);
  return socket;
}

async function openTls(port: number): Promise<Socket> {
  const { client, socket } = await startTls(connect({ port, host: '127.0.0.1' }));
  await login(client);
  return socket;
}

/** KiB that each of `sessions` logged-in sessions adds to a fresh process that has served a few before. */
async function kiBPerSession(kept: Kept, open: (port: number) => Promise<Socket>): Promise<number> {
  for (const socket of [await open(kept.port), await open(kept.port)]) socket.destroy();
  const before = residentKiB(kept.pid);
  const sockets: Socket[] = [];
  for (let count = 0; count < sessions; count += 1) sockets.push(await open(kept.port));
  const each = (residentKiB(kept.pid) - before) / sessions;
  for (const socket of sockets) socket.destroy();
  return each;
}

async function handshakesPerSecond(port: number): Promise<number> {
  let left = handshakes;
  const start = performance.now();
  const client = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const inTls = await startTls(connect({ port, host: '127.0.0.1' }));
      inTls.socket.destroy();
    }
  };
  await Promise.all(Array.from({ length: concurrency }, client));
  return (1000 * handshakes) / (performance.now() - start);
}

function median(values: readonly number[]): number {
  return [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
}

async function compareHandshakes(folder: string, files: CertificateFiles): Promise<string> {
  const kept = await startKept(folder, files);
  const servers = new Map([['pop3d, kept', kept.port]]);
  if (unlessDovecot() === false) {
    const options = { mailRoot: folder, passdb: join(folder, 'passdb.sqlite'), tls: files };
    const secure = await startDovecot(t, options);
    servers.set('Dovecot, a process per login (its default)', secure.pop3Port);
    const settings = 'service pop3-login {\n  service_count = 0\n  process_min_avail = 1\n}';
    const fast = await startDovecot(t, { ...options, settings });
    servers.set('Dovecot, kept', fast.pop3Port);
  }
  const rates = new Map([...servers.keys()].map((name) => [name, [] as number[]]));
  // In turn, so that whatever else the machine does hits all.
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, port] of servers) rates.get(name)?.push(await handshakesPerSecond(port));
  }
  return [...rates]
    .map(([name, values]) => `${median(values).toFixed(0).padStart(6)} handshakes/s  ${name}\n`)
    .join('');
}

const folder = mkdtempSync(join(tmpdir(), 'bench-tls-'));
try {
  chmodSync(folder, 0o755);
  makePasswordDatabase(join(folder, 'passdb.sqlite'), { [user]: password });
  chmodSync(join(folder, 'passdb.sqlite'), 0o644);
  makeInbox(folder, user).add('Subject: x\n\nbody\n');
  mkdirSync(join(folder, 'tls'));
  if (process.geteuid?.() === 0) chownSync(folder, 65534, 65534);
  const files = makeCertificate(join(folder, 'tls'));
  const clear = await kiBPerSession(await startKept(folder, files), openClear);
  const inTls = await kiBPerSession(await startKept(folder, files), openTls);
  process.stdout.write(
    `${clear.toFixed(0).padStart(6)} KiB a session, logged in, in the clear\n` +
      `${inTls.toFixed(0).padStart(6)} KiB a session, logged in, in TLS 1.3 (${sessions} sessions; goal: less than 150)\n` +
      (await compareHandshakes(folder, files)),
  );
} finally {
  for (const teardown of teardowns) await teardown();
  rmSync(folder, { recursive: true, force: true });
}
