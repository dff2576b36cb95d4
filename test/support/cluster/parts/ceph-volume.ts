// CephFS over three hosts, each with a monitor, an OSD and a metadata server, one of which is active; and its mounts by
// ceph-fuse. The manager, which only counts, is on no host and never fails. Without cephx.

import { execFile, execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { startCommand, type RunningProgram, type Teardown } from '../../programs/run-program.js';
import { poll } from '../../suite/deadline.js';
import { cephSettings } from './ceph-settings.js';
import type { Host } from './hosts.js';
import type { ShiftedClock } from './shifted-clock.js';
import { startDaemon } from './start-daemon.js';
import type { Volume, VolumeOptions } from './volume.js';

/** For a machine that does much else. */
const patienceMs = 180_000;
/** It is a program in Python. */
const pauseMs = 500;
const timesToBelieveHealed = 3;

const isClient = /^\S*ceph-fuse /;
const isStorage = /^\S*ceph-(?:mon|osd|mds) /;
const exec = promisify(execFile);

/** Of `ceph status`. */
interface Status {
  readonly quorum_names: readonly string[];
  readonly osdmap: { readonly num_up_osds: number };
  readonly pgmap: {
    readonly num_pgs: number;
    readonly pgs_by_state: readonly { readonly state_name: string; readonly count: number }[];
  };
  readonly fsmap: {
    readonly by_rank: readonly { readonly status: string }[];
    readonly 'up:standby': number;
  };
}

export class CephVolume implements Volume {
  readonly #t: Teardown;
  readonly #folder: string;
  readonly #hosts: readonly Host[];
  readonly #clock: ShiftedClock;
  readonly #storage = new Map<Host, readonly RunningProgram[]>();
  readonly #mounts = new Map<string, RunningProgram>();

  private constructor(t: Teardown, { folder, hosts, clock }: VolumeOptions) {
    this.#t = t;
    this.#folder = join(folder, 'ceph');
    this.#hosts = hosts;
    this.#clock = clock;
  }

  /** Makes the file system and starts it. */
  static async start(t: Teardown, options: VolumeOptions): Promise<CephVolume> {
    const made = new CephVolume(t, options);
    await made.#make();
    return made;
  }

  async #make(): Promise<void> {
    const id = randomUUID();
    mkdirSync(this.#folder);
    for (const { name } of this.#hosts) mkdirSync(join(this.#folder, '..', name));
    writeFileSync(this.#settings, cephSettings({ folder: this.#folder, id, hosts: this.#hosts }));
    const monitors = join(this.#folder, 'monitors');
    const members = this.#hosts.flatMap(({ name, address }) => [
      ...['--addv', name, `[v2:${address}:3300]`],
    ]);
    execFileSync('monmaptool', ['--create', '--fsid', id, ...members, monitors]);
    const osds = this.#hosts.map((host, index) => ({ host, index, uuid: randomUUID() }));
    await Promise.all(
      osds.map(async ({ host, index, uuid }) => {
        for (const name of [`mon.${host.name}`, `osd.${index}`, `mds.${host.name}`])
          mkdirSync(join(this.#folder, name));
        const make = ['--conf', this.#settings, '--mkfs', '--id'];
        await exec('ceph-mon', [...make, host.name, '--monmap', monitors]);
        await exec('ceph-osd', [...make, String(index), '--osd-uuid', uuid, '--no-mon-config']);
        this.#startOn(host, 0, 'mon', host.name);
      }),
    );
    mkdirSync(join(this.#folder, 'mgr.m'));
    await this.#tell(...osds.map(({ index, uuid }) => `osd new ${uuid} ${index}`));
    const output = join(this.#folder, 'output');
    const manager = ['ceph-mgr', '--conf', this.#settings, '-f', '--id', 'm'];
    startCommand(this.#t, 'sh', ['-c', `exec "$@" </dev/null >>${output} 2>&1`, 'sh', ...manager]);
    for (const { host, index } of osds) {
      this.#startOn(host, 0, 'osd', String(index));
      this.#startOn(host, 0, 'mds', host.name);
    }
    await this.#tell(
      'osd pool create metadata 8',
      'osd pool create data 8',
      'fs new mail metadata data',
      'fs set mail session_timeout 30',
    );
    await this.healed();
  }

  /** The monitor keeps the right time: one that is ahead by more than its lease answers nobody. */
  startStorage(host: Host, aheadSeconds = 0): Promise<void> {
    const { name } = host;
    this.#startOn(host, 0, 'mon', name);
    this.#startOn(host, aheadSeconds, 'osd', String(this.#hosts.indexOf(host)));
    this.#startOn(host, aheadSeconds, 'mds', name);
    return Promise.resolve();
  }

  async killStorage(host: Host): Promise<void> {
    host.kill(isStorage);
    for (const program of this.#storage.get(host) ?? []) await program.ending;
    this.#storage.delete(host);
  }

  async mount(host: Host, at: string, aheadSeconds = 0): Promise<void> {
    const words = ['ceph-fuse', '--conf', this.#settings, '-f', '--id', 'admin', at];
    const daemon = this.#start(host, aheadSeconds, words);
    this.#mounts.set(at, daemon);
    await poll(
      `${at} to be mounted`,
      async () =>
        (await readFile('/proc/self/mountinfo', 'utf8')).includes(` ${at} `) ? true : undefined,
      patienceMs,
    );
  }

  async unmount(host: Host, at: string): Promise<void> {
    execFileSync('umount', ['-l', at]);
    host.kill(isClient);
    await this.#mounts.get(at)?.ending;
    this.#mounts.delete(at);
  }

  async healed(): Promise<void> {
    let times = 0;
    await poll(
      'all of the storage to be there and to hold the same',
      async () => {
        times = (await this.#isWhole()) ? times + 1 : 0;
        return times === timesToBelieveHealed ? true : undefined;
      },
      patienceMs,
    );
  }

  async #isWhole(): Promise<boolean> {
    await delay(pauseMs);
    const text = await this.#tell('status').catch(() => '');
    if (text === '') return false;
    const { quorum_names: quorum, osdmap, pgmap, fsmap } = JSON.parse(text) as Status;
    const count = this.#hosts.length;
    const clean = pgmap.pgs_by_state.find((state) => state.state_name === 'active+clean')?.count;
    if (quorum.length !== count || osdmap.num_up_osds !== count || clean !== pgmap.num_pgs)
      return false;
    const active = fsmap.by_rank.filter(({ status }) => status === 'up:active').length;
    return active === 1 && fsmap['up:standby'] === count - 1;
  }

  get #settings(): string {
    return join(this.#folder, 'ceph.conf');
  }

  #startOn(host: Host, aheadSeconds: number, kind: string, id: string): void {
    const words = [`ceph-${kind}`, '--conf', this.#settings, '-f', '--id', id];
    const program = this.#start(host, aheadSeconds, words);
    this.#storage.set(host, [...(this.#storage.get(host) ?? []), program]);
  }

  #start(host: Host, aheadSeconds: number, words: readonly string[]): RunningProgram {
    const output = join(this.#folder, 'output');
    const clock = ['env', ...this.#clock.variables(aheadSeconds)];
    return startDaemon(this.#t, host, output, [...clock, ...words]);
  }

  /** Commands for ceph(8), one after the other. @returns what the last one answers: JSON */
  async #tell(...commands: readonly string[]): Promise<string> {
    let answer = '';
    for (const command of commands) {
      const words = ['--conf', this.#settings, '--connect-timeout', '20', '--format', 'json'];
      const { stdout } = await exec('ceph', [...words, ...command.split(' ')], { timeout: 60_000 });
      answer = stdout;
    }
    return answer;
  }
}
