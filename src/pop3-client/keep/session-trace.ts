// The trace header of a message that came in a session.

import { isIP } from 'node:net';
import { hostname } from 'node:os';
import type { OpenSession } from '../talk/open-session.js';
import { formatTraceHeader } from './trace-header.js';

// Asked once: the system looks it up anew each time, which cost more than storing the message.
const localName = hostname();

/** @param stamp of the message's name, which the header repeats */
export function traceHeader({ endpoint }: OpenSession, stamp: string): Buffer {
  return formatTraceHeader({
    serverName: endpoint.target.host,
    // A proxy does not say to which address it connected.
    serverAddress: isIP(endpoint.address) === 0 ? null : endpoint.address,
    localName,
    id: stamp,
    receivedAt: new Date(),
  });
}
