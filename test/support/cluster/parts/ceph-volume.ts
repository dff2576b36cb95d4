// CephFS over three hosts, each with a monitor, an OSD and a metadata server, one of which is active; and its mounts by
// ceph-fuse. The manager, which only counts, is on no host and never fails. Without cephx.

import { execFile, execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { RunningProgram, Teardown } from '../../programs/run-program.js';
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

/** Of what a host has of the storage. */
const kinds = ['mon', 'osd', 'mds'] as const;
type Kind = (typeof kinds)[number];
const managerName = 'm';
/** Is on the same switch. */
const thisHost = { command: [] };

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
  readonly givesUpMounts = true;
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
    const { hosts } = options;
    const disks = hosts.map(() => randomUUID());
    made.#makeFolders();
    await made.#makeStores(disks);
    for (const { host, name } of made.#members('mon')) made.#startOn(host, 'mon', name);
    await made.#tell(...disks.map((id, index) => `osd new ${id} ${index}`));
    const manager = ['ceph-mgr', '--conf', made.#settings, '-f', '--id', managerName];
    startDaemon(t, thisHost, made.#output, manager);
    for (const kind of ['osd', 'mds'] as const)
      for (const { host, name } of made.#members(kind)) made.#startOn(host, kind, name);
    const pools = ['metadata', 'data'];
    await made.#tell(...pools.map((pool) => `osd pool create ${pool} 8`));
    await made.#tell(`fs new mail ${pools.join(' ')}`);
    await made.healed();
    return made;
  }

  #makeFolders(): void {
    for (const { name } of this.#hosts) mkdirSync(join(this.#folder, '..', name));
    mkdirSync(this.#folder);
    for (const kind of kinds)
      for (const { name } of this.#members(kind)) mkdirSync(join(this.#folder, `${kind}.${name}`));
    mkdirSync(join(this.#folder, `mgr.${managerName}`));
  }

  /** @param disks UUIDs of the OSDs */
  async #makeStores(disks: readonly string[]): Promise<void> {
    const id = randomUUID();
    writeFileSync(this.#settings, cephSettings({ folder: this.#folder, id, hosts: this.#hosts }));
    const map = join(this.#folder, 'monitors');
    const monitors = this.#hosts.flatMap(({ name, address }) => [
      ...['--addv', name, `[v2:${address}:3300]`],
    ]);
    await exec('monmaptool', ['--create', '--fsid', id, ...monitors, map]);
    const make = ['--conf', this.#settings, '--mkfs', '--id'];
    await Promise.all([
      ...this.#members('mon').map(({ name }) => exec('ceph-mon', [...make, name, '--monmap', map])),
      ...this.#members('osd').map(({ name }, index) =>
        exec('ceph-osd', [...make, name, '--osd-uuid', disks[index] ?? '', '--no-mon-config']),
      ),
    ]);
  }

  /** The monitor keeps the right time: one that is ahead by more than its lease answers nobody. */
  startStorage(host: Host, aheadSeconds = 0): Promise<void> {
    for (const kind of kinds) {
      const member = this.#members(kind).find((other) => other.host === host);
      this.#startOn(host, kind, member?.name ?? '', kind === 'mon' ? 0 : aheadSeconds);
    }
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

  get #output(): string {
    return join(this.#folder, 'output');
  }

  /** Those of one kind, one on each host. OSDs have numbers. */
  #members(kind: Kind): readonly { readonly host: Host; readonly name: string }[] {
    return this.#hosts.map((host, index) => ({
      ...{ host, name: kind === 'osd' ? String(index) : host.name },
    }));
  }

  #startOn(host: Host, kind: Kind, name: string, aheadSeconds = 0): void {
    const words = [`ceph-${kind}`, '--conf', this.#settings, '-f', '--id', name];
    const program = this.#start(host, aheadSeconds, words);
    this.#storage.set(host, [...(this.#storage.get(host) ?? []), program]);
  }

  #start(host: Host, aheadSeconds: number, words: readonly string[]): RunningProgram {
    const clock = ['env', ...this.#clock.variables(aheadSeconds)];
    return startDaemon(this.#t, host, this.#output, [...clock, ...words]);
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
