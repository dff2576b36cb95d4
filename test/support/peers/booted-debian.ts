// A Debian that debootstrap(8) made, with a booted systemd, in namespaces. Nothing in it touches the machine of the tests.

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import { startCommand, type Result } from '../programs/run-program.js';
import { WireClient } from '../sessions/wire-client.js';
import { cacheFolder } from '../suite/node-binaries.js';
import { deadline } from '../suite/deadline.js';
import { skipOrFail, unlessInstalled, unlessRoot } from './debian.js';

const bootScript = fileURLToPath(
  new URL('../../../../test/support/peers/boot-debian.sh', import.meta.url),
);
const packages = 'systemd,systemd-sysv,dbus,curl,openssl,ca-certificates';
const mirror = 'http://deb.debian.org/debian';

/** For tap's `skip` option. */
export function unlessBootable(): string | false {
  const missing = unlessRoot() || unlessInstalled('debootstrap', 'nsenter', 'unshare', 'socat');
  if (missing !== false) return missing;
  const { status } = spawnSync('unshare', ['-m', '-p', '-n', '-u', '-i', '-C', '--fork', 'true']);
  return status === 0 ? false : skipOrFail('unshare(1) makes no namespaces here');
}

/**
 * A Debian 12 with nothing in it but systemd, curl and what is asked for; made once, which takes a
 * minute.
 */
function debianRoot({ name, packages: more }: Contents): string {
  const root = cacheFolder(`debian-bookworm${name}`);
  if (existsSync(root)) return root;
  mkdirSync(dirname(root), { recursive: true });
  const unfinished = `${root}.${process.pid}`;
  const args = [
    '--variant=minbase',
    `--include=${[packages, ...more].join()}`,
    'bookworm',
    unfinished,
    mirror,
  ];
  const { status, stdout } = spawnSync('debootstrap', args, { encoding: 'utf8' });
  if (status !== 0) {
    rmSync(unfinished, { recursive: true, force: true });
    throw new Error(`debootstrap failed:\n${stdout.slice(-2000)}`);
  }
  renameSync(unfinished, root);
  return root;
}

/** What else is in it, and the end of its folder's name in the cache. */
interface Contents {
  readonly name: string;
  readonly packages: readonly string[];
}

export class BootedDebian {
  readonly #t: Test;
  readonly #init: string;
  /** What is in here is in /shared there. */
  readonly shared: string;

  private constructor(t: Test, init: string, shared: string) {
    this.#t = t;
    this.#init = init;
    this.shared = shared;
  }

  /** Boots it, until all its units are started. */
  static async boot(
    t: Test,
    contents: Contents = { name: '', packages: [] },
  ): Promise<BootedDebian> {
    const root = debianRoot(contents);
    const folder = mkdtempSync(join(tmpdir(), 'booted-'));
    // None of the test's own descriptors: tap waits for everybody who has one, also when it has killed the test.
    const child = spawn('bash', [bootScript, root, folder], { stdio: 'pipe' });
    let said = '';
    child.stderr.setEncoding('latin1').on('data', (text: string) => (said += text));
    const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
    t.teardown(async () => {
      child.stdin.end();
      await ended;
      rmSync(folder, { recursive: true });
    });
    const lines = createInterface(child.stdout);
    const init = new Promise<string>((resolve) => lines.once('line', resolve));
    const started = await deadline(init, 180_000, () => `systemd did not start: ${said}`);
    const machine = new BootedDebian(t, started, join(folder, 'shared'));
    await machine.run('systemctl', 'is-system-running', '--wait');
    return machine;
  }

  /** Runs a command in it to its end. */
  run(...command: readonly string[]): Promise<Result> {
    const environment = ['DEBIAN_FRONTEND=noninteractive', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin'];
    const words = ['-r', '-w', 'env', '-i', ...environment, ...command];
    const program = startCommand(this.#t, 'nsenter', [...this.#into(), ...words]);
    return program.finish('', 300_000);
  }

  /** As `run`, and throws what the command said when it fails. @returns its stdout */
  async do(...command: readonly string[]): Promise<string> {
    const { status, stdout, stderr } = await this.run(...command);
    if (status === 0) return stdout.toString();
    throw new Error(`${command.join(' ')}: exit ${String(status)}\n${stdout.toString()}${stderr}`);
  }

  /** A client that stays connected, until the test ends. */
  connect(port: number): WireClient {
    const words = ['socat', '-t', '60', '-', `TCP:127.0.0.1:${port}`];
    const client = startCommand(this.#t, 'nsenter', ['-t', this.#init, '-n', ...words]);
    return new WireClient(client.stdout, client.stdin);
  }

  #into(): readonly string[] {
    return ['-t', this.#init, '-m', '-p', '-n', '-u', '-i', '-C'];
  }
}

/** A package `nodejs` as a repository has it, from a binary. @returns its path */
export async function makeNodePackage(t: Test, node: string, folder: string): Promise<string> {
  const root = join(folder, 'nodejs');
  const script = `mkdir -p "$1/usr/bin" "$1/DEBIAN" && cp "$0" "$1/usr/bin/node" &&
    printf 'Package: nodejs\\nVersion: %s\\nArchitecture: %s\\nMaintainer: tests <root@localhost>\\nDescription: Node.js\\n' \
      "$("$0" --version | tr -d v)" "$(dpkg --print-architecture)" >"$1/DEBIAN/control" &&
    dpkg-deb -Znone --root-owner-group -b "$1" "$1.deb" && rm -r "$1"`;
  const packing = startCommand(t, 'bash', ['-c', script, node, root]);
  const { status, stderr } = await packing.finish('', 120_000);
  if (status !== 0) throw new Error(stderr);
  return `${root}.deb`;
}
