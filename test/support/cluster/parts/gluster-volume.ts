// A GlusterFS volume of three bricks that hold the same, one on each host, and its mounts. Each host has a glusterd with
// folders of its own, in a mount namespace.

import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { RunningProgram, Teardown } from '../../programs/run-program.js';
import { poll } from '../../suite/deadline.js';
import type { Host } from './hosts.js';
import type { ShiftedClock } from './shifted-clock.js';
import { startDaemon } from './start-daemon.js';
import type { Volume, VolumeOptions } from './volume.js';

/** For a machine that does much else. */
const patienceMs = 180_000;
const volume = 'mail';
/** Of mail-cluster(7), but that clients need not wait so long until all is healed. */
const settings = ['network.ping-timeout', '5', 'cluster.heal-timeout', '5'];
/** It has much to do for each answer. */
const pauseMs = 500;
/** While mail comes and goes, once may be by chance. */
const timesToBelieveHealed = 3;

const isClient = /^\S*glusterfs .*--process-name fuse/;
const isStorage = /^\S*gluster(?!fs .*--process-name fuse)/;

export class GlusterVolume implements Volume {
  readonly givesUpMounts = false;
  readonly #t: Teardown;
  readonly #folder: string;
  readonly #hosts: readonly Host[];
  readonly #clock: ShiftedClock;
  readonly #daemons = new Map<Host, RunningProgram>();

  private constructor(t: Teardown, { folder, hosts, clock }: VolumeOptions) {
    this.#t = t;
    this.#folder = folder;
    this.#hosts = hosts;
    this.#clock = clock;
  }

  /** Makes the volume and starts it. */
  static async start(t: Teardown, options: VolumeOptions): Promise<GlusterVolume> {
    const made = new GlusterVolume(t, options);
    const { hosts } = options;
    await Promise.all(hosts.map((host) => made.startStorage(host)));
    const [, ...others] = hosts;
    for (const { address } of others) await made.#tell('peer', 'probe', address);
    await poll(
      'all peers to be connected',
      async () =>
        (await made.#tell('peer', 'status')).match(/Peer in Cluster \(Connected\)/g)?.length ===
        others.length
          ? true
          : undefined,
      patienceMs,
    );
    const bricks = hosts.map((host) => `${host.address}:${made.#of(host, 'brick')}/${volume}`);
    // A peer may be connected and not yet ready.
    await poll(
      'the volume to be made',
      () =>
        made
          .#tell('volume', 'create', volume, 'replica', String(hosts.length), ...bricks, 'force')
          .then(
            () => true,
            () => undefined,
          ),
      patienceMs,
    );
    await made.#tell('volume', 'set', volume, ...settings);
    await made.#tell('volume', 'start', volume);
    await poll(
      'all bricks to be connected',
      async () => ((await made.#healing()).connected === hosts.length ? true : undefined),
      patienceMs,
    );
    return made;
  }

  /** Starts a host's glusterd, which starts its brick. */
  async startStorage(host: Host, aheadSeconds = 0): Promise<void> {
    const [lib, log] = ['lib', 'log'].map((name) => this.#of(host, name));
    this.#of(host, 'brick');
    const script = `mount --bind ${lib ?? ''} /var/lib/glusterd &&
      mount --bind ${log ?? ''} /var/log/glusterfs &&
      mount -t tmpfs none /run && mkdir /run/gluster && exec "$@"`;
    const words = ['unshare', '--mount', 'sh', '-c', script, 'sh'];
    const daemon = this.#start(host, [
      ...[...words, 'env', ...this.#clock.variables(aheadSeconds)],
      ...['glusterd', '--no-daemon', '--log-level=WARNING'],
    ]);
    this.#daemons.set(host, daemon);
    await poll(
      `glusterd of ${host.name} to answer`,
      () =>
        this.#tellHost(host, 'peer', 'status').then(
          () => true,
          () => undefined,
        ),
      patienceMs,
    );
  }

  async killStorage(host: Host): Promise<void> {
    host.kill(isStorage);
    await this.#daemons.get(host)?.ending;
  }

  async mount(host: Host, at: string, aheadSeconds = 0): Promise<void> {
    const servers = [host, ...this.#hosts.filter((other) => other !== host)];
    const log = join(this.#folder, host.name, 'mount.log');
    this.#start(host, [
      ...['env', ...this.#clock.variables(aheadSeconds), 'glusterfs', '--no-daemon'],
      ...[`--log-file=${log}`, '--log-level=WARNING', '--process-name', 'fuse'],
      ...servers.map(({ address }) => `--volfile-server=${address}`),
      ...[`--volfile-id=${volume}`, at],
    ]);
    await poll(
      `${at} to be mounted`,
      async () =>
        (await readFile('/proc/self/mountinfo', 'utf8')).includes(` ${at} `) ? true : undefined,
      patienceMs,
    );
  }

  unmount(host: Host, at: string): Promise<void> {
    execFileSync('umount', ['-l', at]);
    host.kill(isClient);
    return Promise.resolve();
  }

  async healed(): Promise<void> {
    let times = 0;
    await poll(
      'all bricks to hold the same',
      async () => {
        const { connected, unhealed } = await this.#healing();
        times = connected === this.#hosts.length && unhealed === 0 ? times + 1 : 0;
        return times === timesToBelieveHealed ? true : undefined;
      },
      patienceMs,
    );
  }

  async #healing(): Promise<{ readonly connected: number; readonly unhealed: number }> {
    await delay(pauseMs);
    const text = await this.#tell('volume', 'heal', volume, 'info').catch(() => '');
    // What is just being changed is among them.
    const entries = text.match(/^(?:\/|<gfid:).*(?<!Possibly undergoing heal)\s*$/gm);
    return {
      connected: text.match(/^Status: Connected$/gm)?.length ?? 0,
      unhealed: entries?.length ?? 0,
    };
  }

  #start(host: Host, words: readonly string[]): RunningProgram {
    return startDaemon(this.#t, host, join(this.#folder, host.name, 'output'), words);
  }

  #tell(...words: readonly string[]): Promise<string> {
    const [first] = this.#hosts;
    if (first === undefined) throw new Error('no hosts');
    return this.#tellHost(first, ...words);
  }

  async #tellHost(host: Host, ...words: readonly string[]): Promise<string> {
    const pid = this.#daemons.get(host)?.pid;
    const into = ['--target', String(pid), '--mount', '--net', '--'];
    const { stdout } = await promisify(execFile)(
      'nsenter',
      [...into, 'gluster', '--mode=script', '--timeout=60', ...words],
      { timeout: 60_000 },
    );
    return stdout;
  }

  /** A folder of a host's, which is made. */
  #of(host: Host, name: string): string {
    const path = join(this.#folder, host.name, name);
    mkdirSync(path, { recursive: true });
    return path;
  }
}
