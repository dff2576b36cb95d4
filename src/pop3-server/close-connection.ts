// Two ways of closing a connection after the last reply.

import type { Connection } from './session-output.js';

/** What the peer still sends is read for so long, so that no reset overtakes the reply; or the reply is on its way for so long. */
const lingerMs = 2000;

/**
 * Closes our side and waits for the peer's: closing with unread input would reset the connection, and the reset could
 * overtake the last reply.
 */
export function closeGently(connection: Connection): Promise<void> {
  return close(connection, () => {
    if (connection.readableEnded) connection.destroy();
    else connection.on('end', () => connection.destroy());
  });
}

/** Closes as soon as the last reply is on its way, whatever the peer does. */
export function closeSoon(connection: Connection): Promise<void> {
  return close(connection, () => connection.destroy());
}

function close(connection: Connection, onSent: () => void): Promise<void> {
  return new Promise((resolve) => {
    if (connection.destroyed) {
      resolve();
      return;
    }
    const timer = setTimeout(() => connection.destroy(), lingerMs);
    connection.on('close', () => {
      clearTimeout(timer);
      resolve();
    });
    connection.resume();
    connection.end(onSent);
  });
}
