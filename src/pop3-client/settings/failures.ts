// What can end a session with the server. Each is a TemporaryError (exit 111) or a
// ConfigurationError (exit 100) to whoever does not handle it.

import { constants } from 'node:os';
import { ConfigurationError, TemporaryError } from '../../system/failures/failures.js';
import { systemWords } from '../../system/failures/system-words.js';

/** The connection ended, failed or fell silent. */
export class ConnectionLost extends TemporaryError {}

/** The server closed the connection, or the network did. */
export class ConnectionClosed extends ConnectionLost {}

/** Nothing came in time. */
export class FellSilent extends ConnectionLost {}

/** It ended or fell silent at a command that was sent ahead of a reply. RFC 2449 §6.6. */
export class LostAhead extends ConnectionLost {}

/** A signal or `--max-time` stopped the run: there is no other try. */
export class Interrupted extends ConnectionLost {}

/**
 * The server's bytes are not the reply that was due, so it is unknown where replies start. Nothing
 * read since the last verified point can be believed.
 */
export class LostStep extends TemporaryError {}

/** A message went past `--limit`; the only way not to read the rest is to leave. */
export class MessageTooLarge extends TemporaryError {}

/**
 * A message could not be written here: no space, no permission, a broken disk; or nobody took it.
 * Its cause says whether that is for good.
 */
export class StoreFailure extends TemporaryError {}

/** The server announces that it wants time between logins, and that is not over. RFC 2449 §6.5. */
export class TooEarly extends TemporaryError {}

/** The server refuses this login or this client for good. */
export class Refused extends ConfigurationError {}

/**
 * The server's certificate is not the one that was asked for, or TLS cannot be had. Nothing was
 * sent in clear.
 */
export class InsecureServer extends ConfigurationError {}

/** Text that a server sent, for an error message: printable ASCII, at most 200 characters. */
export function quoteServerText(text: string): string {
  const printable = text.replace(/[^ -~]+/g, '?');
  return `"${printable.length > 200 ? `${printable.slice(0, 200)}...` : printable}"`;
}

/** Whether another try is of no use. */
export function isLasting(error: unknown): boolean {
  return (
    error instanceof ConfigurationError ||
    (error instanceof StoreFailure && error.cause instanceof ConfigurationError)
  );
}

/** Why there is no connection, in words. @param place what was connected to */
export function describeConnectFailure(error: unknown, place: string): string {
  const { code = '' } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'ECONNREFUSED':
      return `connection refused by ${place}`;
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return `there is no way to ${place}`;
    case 'ETIMEDOUT':
      return `no answer from ${place}`;
    default:
      return `${place}: ${systemWords(error)}`;
  }
}

/** Node 20 knows no name for a full quota. */
const quotaExceeded = `Unknown system error -${constants.errno.EDQUOT}`;

/** The system's words for an error, or what was thrown. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(`${quotaExceeded}: ${quotaExceeded}`, 'EDQUOT: disk quota exceeded');
}
