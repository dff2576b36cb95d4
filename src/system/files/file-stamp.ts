// Whether a file or directory may have changed since it was read, judged by its stamp: device,
// inode, size and times. Times are rounded, and a file server sets them by its own clock. A change
// right after the reading could therefore leave the stamp the same. So an unchanged stamp proves
// something only if that clock had moved on before the reading began.

import { statfsSync, statSync, type BigIntStats } from 'node:fs';

/** What stat(2) says that changes with each change of a file. */
export type FileStamp = Readonly<Pick<BigIntStats, 'dev' | 'ino' | 'size' | 'mtimeNs' | 'ctimeNs'>>;

/** The kernel sets stamps by its ticks, which are 10 ms long at most. */
const tickMs = 50;
/** Some file systems store times as whole or even seconds. */
const coarseGrainMs = 2500;
/** What else a stamp of whole seconds may hide: another machine may set it. */
const clockDifferenceMs = 15_000;
/** Each of two machines of one file system may be a minute off, one ahead and one behind. */
const remoteClockDifferenceMs = 135_000;
/** How long another machine's stamp is believed: nobody knows what it caches. */
const remoteBeliefMs = 60_000;
/**
 * How long, when it is so young that a machine whose clock is behind may not raise it: some file
 * systems take the time from whoever makes the change, and keep the later one.
 */
const youngBeliefMs = 1500;

/** File systems whose stamps are set by this machine's kernel: `f_type` of statfs(2). */
const localFileSystems: ReadonlySet<number> = new Set([
  0xef53, // ext2, ext3, ext4
  0x58465342, // xfs
  0x9123683e, // btrfs
  0x01021994, // tmpfs
  0x858458f6, // ramfs
  0x794c7630, // overlayfs
  0xf2f52010, // f2fs
  0x2fc12fc1, // zfs
  0xca451a4e, // bcachefs
]);

export interface FileWatchOptions {
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** Milliseconds of a clock that nobody sets. */
  readonly monotonicNow?: () => number;
  /** Whether the stamps of a file on that device are set by this machine's kernel. */
  readonly isLocal?: (path: string | Buffer, device: bigint) => boolean;
}

const usualOptions: Required<FileWatchOptions> = {
  now: Date.now,
  monotonicNow: () => performance.now(),
  isLocal: isOnLocalFileSystem,
};

/** One file or directory that was read, or is about to be. */
export class FileWatch {
  readonly #path: string | Buffer;
  readonly #options: Required<FileWatchOptions>;
  /** Null: there is no such file; undefined: nobody looked yet. */
  #stamp: FileStamp | null | undefined;
  #firstSeenMs = 0;
  #readMs = 0;
  /** From `#readMs` on. */
  #beliefMs = 0;

  constructor(path: string | Buffer, options: FileWatchOptions = usualOptions) {
    this.#path = path;
    this.#options = options === usualOptions ? usualOptions : { ...usualOptions, ...options };
  }

  /**
   * To be called before each reading, and later to ask whether another is needed. Costs one
   * stat(2).
   *
   * @param stats of the path, when the caller has them: null when there is no such file
   * @returns whether the file may hold something else than what was read after the last call that
   *   returned true
   * @throws the system's error but for ENOENT: a missing file is one that may appear
   */
  mayHaveChanged(stats: FileStamp | null = tryStat(this.#path)): boolean {
    const nowMs = this.#options.monotonicNow();
    const isSame = this.#stamp !== undefined && isSameStamp(stats, this.#stamp);
    if (isSame && this.#beliefMs > 0 && nowMs - this.#readMs <= this.#beliefMs) return false;
    if (!isSame) {
      this.#stamp = stats === null ? null : copyStamp(stats);
      this.#firstSeenMs = nowMs;
    }
    this.#readMs = nowMs;
    this.#beliefMs = this.#beliefIn(stats, nowMs - this.#firstSeenMs);
    return true;
  }

  /**
   * Whether what was read since `mayHaveChanged` holds until the stamp changes. If not, each call
   * asks to read again.
   */
  get isSettled(): boolean {
    return this.#beliefMs > 0;
  }

  /** Whether there was no such file at the last look. */
  get isAbsent(): boolean {
    return this.#stamp === null;
  }

  /** Another watch that has seen the same. */
  copy(): FileWatch {
    const copy = new FileWatch(this.#path, this.#options);
    copy.#stamp = this.#stamp;
    copy.#firstSeenMs = this.#firstSeenMs;
    copy.#readMs = this.#readMs;
    copy.#beliefMs = this.#beliefMs;
    return copy;
  }

  /**
   * @returns for how many milliseconds a reading that begins now is believed while the stamp stays
   *   the same
   */
  #beliefIn(stamp: FileStamp | null, seenForMs: number): number {
    if (stamp === null) return Infinity;
    const newestNs = stamp.mtimeNs > stamp.ctimeNs ? stamp.mtimeNs : stamp.ctimeNs;
    const ageMs = this.#options.now() - Number(newestNs) / 1e6;
    const isLocal = this.#options.isLocal(this.#path, stamp.dev);
    if (!isLocal) {
      if (ageMs > remoteClockDifferenceMs) return remoteBeliefMs;
      return seenForMs > coarseGrainMs ? youngBeliefMs : 0;
    }
    // Another clock, or ours was set back: the same time comes again.
    if (ageMs < 0) return seenForMs > coarseGrainMs ? coarseGrainMs : 0;
    if (ageMs <= tickMs) return 0;
    const isCoarse = hasWholeSeconds(stamp) && ageMs <= clockDifferenceMs;
    return isCoarse && seenForMs <= coarseGrainMs ? 0 : Infinity;
  }
}

/**
 * Whether two stamps are of one file that did not change between. Two missing files are the same.
 */
export function isSameStamp(one: FileStamp | null, other: FileStamp | null): boolean {
  return (
    one?.mtimeNs === other?.mtimeNs &&
    one?.ctimeNs === other?.ctimeNs &&
    one?.size === other?.size &&
    one?.ino === other?.ino &&
    one?.dev === other?.dev
  );
}

/** @returns null when there is no such file. @throws the system's other errors */
function tryStat(path: string | Buffer): FileStamp | null {
  return statSync(path, { bigint: true, throwIfNoEntry: false }) ?? null;
}

/** What stat(2) returned holds much more. */
function copyStamp({ dev, ino, size, mtimeNs, ctimeNs }: FileStamp): FileStamp {
  return { dev, ino, size, mtimeNs, ctimeNs };
}

function hasWholeSeconds({ mtimeNs, ctimeNs }: FileStamp): boolean {
  return mtimeNs % 1_000_000_000n === 0n && ctimeNs % 1_000_000_000n === 0n;
}

/** How long a device is believed to be the same; statfs(2) may ask a file server. */
const deviceAgeMs = 1000;
const areLocal = new Map<bigint, boolean>();
let areLocalSinceMs = -Infinity;

function isOnLocalFileSystem(path: string | Buffer, device: bigint): boolean {
  const nowMs = performance.now();
  if (nowMs - areLocalSinceMs > deviceAgeMs) {
    areLocal.clear();
    areLocalSinceMs = nowMs;
  }
  let isLocal = areLocal.get(device);
  if (isLocal === undefined) {
    isLocal = isLocalType(path);
    areLocal.set(device, isLocal);
  }
  return isLocal;
}

function isLocalType(path: string | Buffer): boolean {
  try {
    return localFileSystems.has(statfsSync(path).type >>> 0);
  } catch {
    return false;
  }
}
