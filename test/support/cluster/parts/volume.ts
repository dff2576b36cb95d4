// The shared file system of a cluster, whichever it is: its storage, on the same hosts as the front, and its mounts.

import type { Host } from './hosts.js';
import type { ShiftedClock } from './shifted-clock.js';

export interface VolumeOptions {
  /** For all that is written. */
  readonly folder: string;
  readonly hosts: readonly Host[];
  readonly clock: ShiftedClock;
}

export interface Volume {
  /** Whether a host that was cut off must mount it anew. */
  readonly givesUpMounts: boolean;
  /** Starts a host's part of the storage. @param aheadSeconds its clock */
  startStorage(host: Host, aheadSeconds?: number): Promise<void>;
  /** Ends it as `kill -9` does. */
  killStorage(host: Host): Promise<void>;
  /** Mounts it with a host's network. @param at a folder that is there @param aheadSeconds its clock */
  mount(host: Host, at: string, aheadSeconds?: number): Promise<void>;
  /** Whoever still uses it is told that it is not connected. */
  unmount(host: Host, at: string): Promise<void>;
  /** Waits until all of the storage is connected and holds the same. */
  healed(): Promise<void>;
}
