// As scripted-session.ts, in TLS: the session is told things to forget, then STLS, with octets behind it in the clear that nothing
// may come of; the script itself is sent after the handshake. Both ends are in this process.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { connect, createSecureContext } from 'node:tls';
import { loadServerTls, type ServerTls } from '../../src/system/tls/tls-server.js';
import { makeCertificate } from '../support/accounts/certificate.js';
import { makeDuplexPair, type PairEnd } from '../support/sessions/duplex-pair.js';
import { startSession, type SessionScript, type SessionTrace } from './scripted-session.js';

/** Each is answered +OK, and none is known any more in TLS. */
const forgotten = ['USER ann@example.org', 'LANG de', 'UTF8'];

/** The greeting, and the replies to what is forgotten and to STLS. */
const clearReplies = /^(\+OK .*\r\n)(?:\+OK.*\r\n){4}$/;

/**
 * Runs it to its end.
 *
 * @param injected latin1; arrives together with STLS, in the clear
 * @returns with the greeting as all that was sent in the clear, unless there was anything else
 */
export async function runScriptInTls(
  script: SessionScript,
  injected: string,
): Promise<SessionTrace> {
  const [client, server] = makeDuplexPair(1_048_576);
  const session = startSession(server, script, serverTls());
  const inClear = await sayStls(client, injected);
  const greeting = clearReplies.exec(inClear)?.[1];
  if (greeting === undefined) {
    client.destroy();
    await session.ended;
    return { sent: inClear, ...session.trace() };
  }
  const inTls = await converse(client, script);
  await session.ended;
  return { sent: greeting + inTls, ...session.trace() };
}

/** @returns what the session says in the clear */
async function sayStls(client: PairEnd, injected: string): Promise<string> {
  let said = '';
  const take = (chunk: Buffer): void => void (said += chunk.toString('latin1'));
  client.on('data', take);
  client.write(Buffer.from([...forgotten, 'STLS', injected].join('\r\n'), 'latin1'));
  for (let turns = 0; turns < 1000 && !clearReplies.test(said); turns += 1) await nextTurn();
  // What the octets behind STLS would be answered is here by then, too.
  await nextTurn();
  client.pause();
  client.off('data', take);
  return said;
}

/** @returns what the session says in TLS, latin1 */
async function converse(client: PairEnd, { pieces, isSlow }: SessionScript): Promise<string> {
  // The pair moves octets at once. Without this the handshake would be over before `connect` looks for its end.
  client.cork();
  setImmediate(() => client.uncork());
  const socket = connect({
    socket: client,
    secureContext: clientContext,
    rejectUnauthorized: false,
  });
  const sent: Buffer[] = [];
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  const secured = new Promise<void>((resolve) => socket.once('secureConnect', () => resolve()));
  // What goes wrong shows in what was sent.
  socket.on('error', () => undefined);
  await Promise.race([secured, closed]);
  socket.on('data', (chunk: Buffer) => sent.push(chunk));
  for (const piece of pieces) {
    if (socket.destroyed) break;
    socket.write(piece);
    if (isSlow) await nextTurn();
  }
  socket.end();
  await closed;
  return Buffer.concat(sent).toString('latin1');
}

const clientContext = createSecureContext();
let loaded: ServerTls | undefined;

function serverTls(): ServerTls {
  if (loaded === undefined) {
    const folder = mkdtempSync(join(tmpdir(), 'fuzz-tls-'));
    try {
      const { cert, key } = makeCertificate(folder);
      loaded = loadServerTls(cert, key);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
  return loaded;
}
