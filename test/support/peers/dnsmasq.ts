// A name server for tests that answers as told: dnsmasq(8). Names of example.org that no option names do not exist.

import { createSocket } from 'node:dgram';
import type { Test } from 'tap';
import { openNameServer } from '../../../src/pop3-client/find/name-server.js';
import { startCommand } from '../programs/run-program.js';
import { poll } from '../suite/deadline.js';
import { expectProgram } from './debian.js';

const never = new AbortController().signal;

async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(resolve));
  return port;
}

/** Starts dnsmasq with these options on top. @returns what --dns-server takes */
export async function startDns(t: Test, ...options: readonly string[]): Promise<string> {
  // dnsmasq wants a port for UDP and TCP; somebody may have taken one of the two meanwhile, and then it ends at once.
  for (let attempt = 0; attempt < 10; attempt += 1) {
    const server = await tryStartDns(t, options);
    if (server !== null) return server;
  }
  throw new Error('dnsmasq found no port');
}

async function tryStartDns(t: Test, options: readonly string[]): Promise<string | null> {
  const port = await freeUdpPort();
  const dnsmasq = startCommand(t, expectProgram('dnsmasq'), [
    '--no-daemon',
    '--conf-file=/dev/null',
    '--no-resolv',
    '--no-hosts',
    '--listen-address=127.0.0.1',
    '--bind-interfaces',
    `--port=${port}`,
    '--local=/example.org/',
    '--address=/mail.example.org/127.0.0.1',
    ...options,
  ]);
  let hasEnded = false;
  void dnsmasq.ending.then(() => (hasEnded = true));
  const server = `127.0.0.1:${port}`;
  const isUp = await poll('dnsmasq answers or ends', async () => {
    if (hasEnded) return false;
    const addresses = await openNameServer([server], [4])
      .findAddresses('mail.example.org', never)
      .catch(() => []);
    return addresses.length > 0 ? true : undefined;
  });
  return isUp ? server : null;
}
