// A connection through a SOCKS5 proxy: RFC 1928, RFC 1929 (user and password). The proxy gets the
// server's name and resolves it. Its replies are read to the octet: what follows is the server's.

import { isIP, type Socket } from 'node:net';
import ipaddr from 'ipaddr.js';
import { ConnectionClosed, Refused } from '../settings/failures.js';
import type { ProxySettings } from '../settings/settings.js';
import { TemporaryError } from '../../system/failures/failures.js';
import type { Target } from './locate.js';

const version = 5;
/** RFC 1928 §3: methods. */
const method = { none: 0, password: 2 };
/** RFC 1929 §2. */
const passwordVersion = 1;
const connectCommand = 1;
const addressType = { ip4: 1, name: 3, ip6: 4 };

/**
 * Has the proxy connect to a server.
 *
 * @param socket connected to the proxy, and read by nobody; whoever destroys it ends this too
 * @throws Refused for what will not mend itself, else TemporaryError; both name the proxy
 */
export async function connectThrough(
  socket: Socket,
  proxy: ProxySettings,
  { host, port }: Pick<Target, 'host' | 'port'>,
): Promise<void> {
  const name = `the proxy ${proxy.host}`;
  const read = (octets: number): Promise<Buffer> => readExactly(socket, octets, name);
  const { login } = proxy;
  const methods = login === null ? [method.none] : [method.none, method.password];
  socket.write(Buffer.from([version, methods.length, ...methods]));
  const [spoken, chosen] = await read(2);
  if (spoken !== version) throw new Refused(`${name} speaks no SOCKS5`);
  if (chosen === method.password && login !== null) {
    const words = [login.user, login.password].flatMap((word) => [
      Buffer.byteLength(word),
      ...Buffer.from(word),
    ]);
    socket.write(Buffer.from([passwordVersion, ...words]));
    const [, status] = await read(2);
    if (status !== 0) throw new Refused(`${name} refuses the user or password of --proxy`);
  } else if (chosen !== method.none) {
    throw new Refused(
      login === null
        ? `${name} wants a user and password: --proxy socks5://USER:PASSWORD@HOST:PORT`
        : `${name} takes no user and password, and nobody without`,
    );
  }
  const request = [version, connectCommand, 0, ...formatAddress(host), port >> 8, port & 0xff];
  socket.write(Buffer.from(request));
  const [replied, reply = 0, , type] = await read(4);
  if (replied !== version) throw new Refused(`${name} speaks no SOCKS5`);
  if (reply !== 0) throw describeReply(reply, name, `${host} port ${port}`);
  // The address that the proxy connects from is of no use here.
  if (type === addressType.ip4) await read(4 + 2);
  else if (type === addressType.ip6) await read(16 + 2);
  else if (type === addressType.name) await read(((await read(1))[0] ?? 0) + 2);
  else throw new TemporaryError(`${name} sent a malformed reply`);
}

function formatAddress(host: string): readonly number[] {
  if (isIP(host) !== 0) {
    const bytes = ipaddr.parse(host).toByteArray();
    return [bytes.length === 4 ? addressType.ip4 : addressType.ip6, ...bytes];
  }
  const name = Buffer.from(host.replace(/\.$/, ''), 'latin1');
  if (name.length > 255) throw new Refused('the name of the server is longer than 255 octets');
  return [addressType.name, name.length, ...name];
}

/** RFC 1928 §6. */
function describeReply(reply: number, name: string, place: string): Error {
  switch (reply) {
    case 2:
      return new Refused(`${name} does not allow connections to ${place}`);
    case 3:
    case 4:
      return new TemporaryError(`${name} finds no way to ${place}, or no such host`);
    case 5:
      return new TemporaryError(`connection refused by ${place}, says ${name}`);
    case 6:
      return new TemporaryError(`no answer from ${place}, says ${name}`);
    case 7:
      return new Refused(`${name} makes no connections for others`);
    case 8:
      return new Refused(`${name} does not know addresses such as that of ${place}`);
    default:
      return new TemporaryError(`${name} failed to connect to ${place} (SOCKS5 error ${reply})`);
  }
}

async function readExactly(socket: Socket, octets: number, name: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const finish = (settle: () => void): void => {
      socket.off('readable', onReadable).off('end', onEnd).off('close', onEnd);
      settle();
    };
    const onEnd = (): void =>
      finish(() => reject(new ConnectionClosed(`${name} closed the connection`)));
    const onReadable = (): void => {
      const piece = socket.read(octets) as Buffer | null;
      // Shorter only at the end of the stream.
      if (piece !== null && piece.length < octets) onEnd();
      else if (piece !== null) finish(() => resolve(piece));
    };
    socket.on('readable', onReadable).on('end', onEnd).on('close', onEnd);
    if (socket.destroyed || socket.readableEnded) onEnd();
    else onReadable();
  });
}
