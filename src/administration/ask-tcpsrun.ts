// Asks a running tcpsrun over the socket of its `--control`.

import { connect } from 'node:net';
import type { ControlReply, ControlRequest } from '../launcher/telling/control-protocol.js';
import { ConfigurationError, TemporaryError } from '../system/failures/failures.js';
import { systemWords } from '../system/failures/system-words.js';

const timeoutMs = 10_000;

/** A session takes some 200 octets, and there are a million at most. */
const maxReplyOctets = 512 * 1024 * 1024;

/**
 * @returns the reply, which is no error
 * @throws ConfigurationError where this user may not ask, TemporaryError where nobody answers
 */
export async function askTcpsrun(
  socketPath: string,
  request: ControlRequest,
): Promise<Exclude<ControlReply, { error: string }>> {
  const text = await exchange(socketPath, `${JSON.stringify(request)}\n`);
  let reply: ControlReply;
  try {
    reply = JSON.parse(text) as ControlReply;
  } catch {
    throw new TemporaryError(`${socketPath}: what answers there is no tcpsrun`);
  }
  if ('error' in reply) throw new TemporaryError(`${socketPath}: ${reply.error}`);
  return reply;
}

function exchange(socketPath: string, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath);
    let received = '';
    socket.setEncoding('utf8').setTimeout(timeoutMs, () => {
      socket.destroy(new TemporaryError(`${socketPath}: nobody answers`));
    });
    socket.on('data', (part: string) => {
      received += part;
      if (received.length > maxReplyOctets) socket.destroy(new Error('endless'));
    });
    socket.on('end', () => resolve(received));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      const { code } = error;
      if (error instanceof TemporaryError) reject(error);
      else if (code === 'EACCES') {
        reject(new ConfigurationError(`${socketPath}: only tcpsrun's user and root may ask`));
      } else
        reject(new TemporaryError(`${socketPath}: no tcpsrun is there: ${systemWords(error)}`));
    });
    socket.end(request);
  });
}
