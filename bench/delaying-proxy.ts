// A TCP proxy that hands on every piece a fixed time after it came, in both directions: round trips without a network.

import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export async function startDelayingProxy(
  port: number,
  oneWayMs: number,
): Promise<{ readonly port: number; close(): void }> {
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const upstream = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    forward(client, upstream, oneWayMs);
    forward(upstream, client, oneWayMs);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

function forward(from: Socket, to: Socket, oneWayMs: number): void {
  from.setNoDelay(true);
  from.on('data', (chunk) => setTimeout(() => to.write(chunk), oneWayMs));
  from.on('end', () => setTimeout(() => to.end(), oneWayMs));
  from.on('error', () => to.destroy());
}
