// The trace header of messages that come in a session.

import { isIP } from 'node:net';
import { hostname } from 'node:os';
import type { OpenSession } from '../talk/open-session.js';
import { traceHeaderFormat } from './trace-header.js';

// Asked once: the system looks it up anew each time, which cost more than storing the message.
const localName = hostname();

/** @returns what formats the field; the stamp of a message's name is repeated in it */
export function sessionTrace({ endpoint }: OpenSession): (stamp: string) => Buffer {
  const format = traceHeaderFormat({
    serverName: endpoint.target.host,
    // A proxy does not say to which address it connected.
    serverAddress: isIP(endpoint.address) === 0 ? null : endpoint.address,
    localName,
  });
  return (stamp) => format(stamp, new Date());
}
