// services/haproxy as it is, over two nodes with both ports: one node is drained, one is told to leave, one is killed.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { makeCertificate } from '../support/accounts/certificate.js';
import { makePasswordDatabase } from '../support/accounts/password-database-fixture.js';
import { makeInbox } from '../support/mail/maildir-fixture.js';
import { expectProgram, unlessInstalled } from '../support/peers/debian.js';
import {
  builtProgram,
  startCommand,
  type RunningProgram,
} from '../support/programs/run-program.js';
import { connectWireClient, WireClient } from '../support/sessions/wire-client.js';
import { poll } from '../support/suite/deadline.js';
import { freePort } from '../support/suite/free-port.js';

const skip = unlessInstalled('haproxy', 'openssl');
const names = ['n1', 'n2'] as const;
type NodeName = (typeof names)[number];

interface Node {
  readonly program: RunningProgram;
  readonly ports: Readonly<Record<'pop3' | 'pop3s', number>>;
}

/** A mail root for both, with the run files. */
function makeSite(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'pop3-nodes-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const { cert, key } = makeCertificate(folder);
  makePasswordDatabase(join(folder, 'passdb.sqlite'), { 'ann@example.org': 'x' });
  makeInbox(folder, 'ann@example.org').add('a: b\n\nc\n');
  const certificate = ['--tls-cert', cert, '--tls-key', key];
  for (const [file, tls] of [
    ['pop3.run', ['--allow-cleartext']],
    ['pop3s.run', ['--tls']],
  ] as const) {
    const words = ['node', builtProgram('pop3d'), ...certificate, ...tls, '%3'];
    const lines = [`program ${process.execPath}`, ...words.map((word) => `argument ${word}`)];
    writeFileSync(join(folder, file), lines.join('\n'));
  }
  return folder;
}

async function startNode(t: Test, cwd: string): Promise<Node> {
  const listeners = ['pop3.run', 'pop3s.run'].flatMap((file) => ['127.0.0.1', '0', file]);
  const options = ['--proxy-from', '127.0.0.1', '--workers', '1'];
  const words = [builtProgram('tcpsrun'), ...options, ...listeners];
  const program = startCommand(t, process.execPath, words, { cwd });
  const ports = await poll('both ports', () => {
    const found = [...program.stderr.matchAll(/listening address=\S+ port=([0-9]+)/g)];
    const [pop3, pop3s] = found.map(([, port]) => Number(port));
    return Promise.resolve(pop3s === undefined ? undefined : { pop3: pop3 ?? 0, pop3s });
  });
  return { program, ports };
}

interface Balancer {
  readonly ports: Node['ports'];
  /** A command on its admin socket. */
  readonly tell: (command: string) => Promise<string>;
}

/** With the file that is shipped: only addresses, ports, the socket's place and what a test machine can do are others. */
async function balance(t: Test, folder: string, nodes: Record<NodeName, Node>): Promise<Balancer> {
  const shipped = new URL('../../../services/haproxy/haproxy.cfg', import.meta.url);
  const ports = { pop3: await freePort(), pop3s: await freePort() };
  const admin = join(folder, 'admin.sock');
  const config = readFileSync(fileURLToPath(shipped), 'utf8')
    .replaceAll('/run/haproxy/admin.sock', admin)
    .replace('bind :110', `bind 127.0.0.1:${ports.pop3}`)
    .replace('bind :995', `bind 127.0.0.1:${ports.pop3s}`)
    .replace('maxconn 20000', 'maxconn 200')
    // A machine with much to do may need longer than its timeouts, which are for networks.
    .replace('timeout connect 3s', 'timeout connect 30s')
    .replace('timeout check 5s', 'timeout check 30s')
    .replaceAll('inter 2s fastinter 500ms downinter 1s', 'inter 10s')
    .replace(/server (n[12]) [0-9.]+:(110|995)/g, (_, name: NodeName, port: string) => {
      const { pop3, pop3s } = nodes[name].ports;
      return `server ${name} 127.0.0.1:${port === '110' ? pop3 : pop3s} source 127.0.0.1`;
    });
  const file = join(folder, 'haproxy.cfg');
  writeFileSync(file, config);
  startCommand(t, expectProgram('haproxy'), ['-db', '-f', file]);
  const tell = async (command: string): Promise<string> => {
    const socket = connectSocket(admin);
    socket.end(`${command}\n`);
    return text(socket);
  };
  await poll(
    'health checks of both nodes on both ports to succeed',
    async () => {
      const stat = await tell('show stat').catch(() => '');
      return stat.match(/^pop3s?,n[12],.*,UP,.*,(?:\* )?L7OK,/gm)?.length === 4 ? true : undefined;
    },
    60_000,
  );
  return { ports, tell };
}

t.test(
  'sessions outlive a node that is drained, and clients one that is not there',
  { skip },
  async (t) => {
    const folder = makeSite(t);
    const nodes = { n1: await startNode(t, folder), n2: await startNode(t, folder) };
    const { ports, tell } = await balance(t, folder, nodes);

    /** Logs in from an address of its own. @returns with the node that serves it */
    const logIn = async (peer: string) => {
      const client = await connectWireClient(ports.pop3, '127.0.0.1', peer);
      t.teardown(() => client.destroy());
      await client.login('ann@example.org', 'x');
      const line = new RegExp(`pop3d: connect .*peer=${peer.replaceAll('.', '\\.')}\\b`);
      const node = await poll(`the connect line of ${peer}`, () =>
        Promise.resolve(names.find((name) => line.test(nodes[name].program.stderr))),
      );
      return { client, node };
    };
    const finish = async (client: WireClient): Promise<void> => {
      t.equal((await client.message('RETR 1')).toString(), 'a: b\r\n\r\nc\r\n');
      await client.ok('QUIT');
    };

    // One session through TLS of the node's own.
    const encrypted = connectTls({
      ...{ port: ports.pop3s, host: '127.0.0.1', localAddress: '127.0.0.5' },
      rejectUnauthorized: false,
    });
    const secure = new WireClient(encrypted, encrypted);
    await secure.login('ann@example.org', 'x');
    await finish(secure);
    const logs = names.map((name) => nodes[name].program.stderr).join('');
    t.match(
      logs,
      /pop3d: connect .*peer=127\.0\.0\.5\b/,
      "the client's address, not the balancer's",
    );

    const first = await logIn('127.0.0.11');
    const other = first.node === 'n1' ? 'n2' : 'n1';
    t.match(await tell(`set server pop3/${first.node} state drain`), /^\s*$/);
    for (const peer of ['127.0.0.12', '127.0.0.13', '127.0.0.14']) {
      const { client, node } = await logIn(peer);
      t.equal(node, other, 'a node that is drained gets nobody new');
      await finish(client);
    }
    await finish(first.client);
    await tell(`set server pop3/${first.node} state ready`);

    // It is told to leave, and the balancer need not know.
    await tell(`set server pop3/${first.node} state drain`);
    const leaving = await logIn('127.0.0.15');
    t.equal(leaving.node, other);
    await tell(`set server pop3/${first.node} state ready`);
    nodes[other].program.kill('SIGTERM');
    await poll('the node to stop listening', async () => {
      try {
        (await connectWireClient(nodes[other].ports.pop3)).destroy();
        return undefined;
      } catch {
        return true;
      }
    });
    for (const peer of ['127.0.0.16', '127.0.0.17']) {
      const { client, node } = await logIn(peer);
      t.equal(node, first.node);
      await finish(client);
    }
    await finish(leaving.client);
    t.equal((await nodes[other].program.ending).status, 0, 'it left when its session was over');
    t.notMatch(nodes[first.node].program.stderr, /failure /, 'health checks are no logins');
  },
);
