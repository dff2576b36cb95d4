// Whether a worker has descriptors left for another session. Past its limit no socket would reach
// it, and the sessions that it has could open no file.

import type { Socket } from 'node:net';
import { tryDescriptorOf } from '../system/descriptors/descriptor-of.js';
import { openFilesLimit } from '../system/descriptors/open-files-limit.js';

/**
 * A quarter of the limit is kept for what running sessions open; never less than the database
 * needs.
 */
const fewestKept = 10;
const mostKept = 1024;

export class DescriptorRoom {
  #limit = openFilesLimit();

  /**
   * Whether a connection that just came may be taken. Its descriptor tells: the kernel gives the
   * lowest free number, so all numbers below are in use.
   */
  hasRoomFor(socket: Socket): boolean {
    const fd = tryDescriptorOf(socket);
    if (fd === null || fd < highestUsable(this.#limit)) return true;
    this.#limit = openFilesLimit();
    return fd < highestUsable(this.#limit);
  }
}

function highestUsable(limit: number): number {
  return limit - Math.min(mostKept, Math.max(fewestKept, Math.floor(limit / 4)));
}
