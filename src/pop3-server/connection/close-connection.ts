// Two ways of closing a connection after the last reply.

import { ChurningMap } from '../../system/runtime/churning-map.js';
import type { Connection } from '../../system/descriptors/connection.js';

/**
 * What the peer still sends is read for so long, so that no reset overtakes the reply; or the reply
 * is on its way for so long.
 */
const lingerMs = 2000;
/**
 * A peer that sends more than this instead of reading is not waited for: each octet that is thrown
 * away was memory before.
 */
const maxDiscardedOctets = 2 * 1024 * 1024;
/**
 * How often it is looked whose time is over. One timer serves all connections: nearly none ever
 * needs it.
 */
const sweepMs = 250;

interface Closing {
  readonly connection: Connection;
  /** When it is to end at the latest: a time of performance.now(). */
  readonly dueMs: number;
}

/** Connections that are being closed, by serial number. */
const closing = new ChurningMap<number, Closing>();
let closedCount = 0;
let sweeper: NodeJS.Timeout | undefined;

function sweep(): void {
  const now = performance.now();
  for (const { connection, dueMs } of closing.values()) {
    if (now >= dueMs) connection.destroy();
  }
  if (closing.size > 0) return;
  clearInterval(sweeper);
  sweeper = undefined;
}

/**
 * Closes our side and waits for the peer's: closing with unread input would reset the connection,
 * and the reset could overtake the last reply.
 */
export function closeGently(connection: Connection): Promise<void> {
  return close(connection, () => {
    if (connection.readableEnded) connection.destroy();
    else connection.on('end', () => connection.destroy());
  });
}

/** Closes as soon as the last reply is on its way. Does not wait for the peer. */
export function closeSoon(connection: Connection): Promise<void> {
  return close(connection, () => connection.destroy());
}

function close(connection: Connection, onSent: () => void): Promise<void> {
  return new Promise((resolve) => {
    if (connection.destroyed) {
      resolve();
      return;
    }
    const number = closedCount++;
    closing.set(number, { connection, dueMs: performance.now() + lingerMs });
    // The connections themselves keep the process alive, and not longer than they last.
    sweeper ??= setInterval(sweep, sweepMs).unref();
    connection.on('close', () => {
      closing.delete(number);
      resolve();
    });
    let discardedOctets = 0;
    connection.on('data', (chunk: Buffer) => {
      discardedOctets += chunk.length;
      if (discardedOctets > maxDiscardedOctets) connection.destroy();
    });
    connection.resume();
    connection.end(onSent);
  });
}
