// The HAProxy of mail-cluster(7), with the file that is shipped: it has one node more, and no port 995.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expectProgram } from '../../peers/debian.js';
import type { Teardown } from '../../programs/run-program.js';
import { poll } from '../../suite/deadline.js';
import type { Host } from './hosts.js';
import { startDaemon } from './start-daemon.js';

const shipped = new URL('../../../../../services/haproxy/haproxy.cfg', import.meta.url);
const folder = '/run/haproxy';

/** Starts it and waits until it has found all nodes well. */
export async function startBalancer(
  t: Teardown,
  host: Host,
  nodes: readonly Host[],
  scratch: string,
): Promise<void> {
  const servers = nodes.map(({ name, address }) => `    server ${name} ${address}:110\n`);
  const config = readFileSync(fileURLToPath(shipped), 'utf8')
    .replace(/^listen pop3s[^]*/m, '')
    .replace('maxconn 20000', 'maxconn 2000')
    // A machine with much to do may need longer for a greeting than one of a network.
    .replace('timeout check 5s', 'timeout check 15s')
    .replace(/(?: +server n\d .*\n)+/, servers.join(''));
  const file = join(scratch, 'haproxy.cfg');
  writeFileSync(file, config);
  mkdirSync(folder);
  const haproxy = [expectProgram('haproxy'), '-db', '-f', file];
  startDaemon(t, host, join(scratch, 'haproxy.log'), haproxy);
  await poll(
    'all nodes to be found well',
    async () => {
      const stat = await tell('show stat').catch(() => '');
      return stat.match(/^pop3,n\d,.*,UP,/gm)?.length === nodes.length &&
        stat.match(/^pop3,n\d,.*L7OK/gm)?.length === nodes.length
        ? true
        : undefined;
    },
    120_000,
  );
}

/** A command on its admin socket. @returns the answer */
async function tell(command: string): Promise<string> {
  const socket = connect(`${folder}/admin.sock`);
  socket.end(`${command}\n`);
  return text(socket);
}
