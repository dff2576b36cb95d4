// A program that attacks a POP3 server on 127.0.0.1, for as long as its stdin is open; then it says on stdout what it did.
// Arguments: kind, port, the address to come from, and how many connections (a second, for `reset`).
//   trickle  opens them and sends an octet a second on each, never a whole command; opens anew what is closed
//   read     logs in on each, asks for message 1, and reads an octet a second
//   reset    connects and resets at once

import { connect, type Socket } from 'node:net';

const [kind = '', port = '', from = '', countText = ''] = process.argv.slice(2);
const count = Number(countText);
const tally = { connected: 0, errors: 0, readOctets: 0 };

/** So many of a burst are begun at a time, as a listening queue holds. */
const tickMs = 10;

const readerPaceMs = 20;

function open(onConnect: (socket: Socket) => void): Socket {
  const socket = connect({ host: '127.0.0.1', port: Number(port), localAddress: from }, () => {
    tally.connected += 1;
    onConnect(socket);
  });
  socket.on('error', () => (tally.errors += 1));
  return socket;
}

function trickle(): void {
  const start = (): void => {
    open((socket) => {
      socket.resume();
      const timer = setInterval(() => socket.write('x'), 1000);
      socket.on('close', () => {
        clearInterval(timer);
        // A refused one would otherwise come again at once, which is another attack.
        setTimeout(start, 1000);
      });
    });
  };
  for (let begun = 0; begun < count; begun += 1) setTimeout(start, begun);
}

function read(): void {
  const start = (): void => {
    const octet = Buffer.alloc(1);
    const socket = connect({
      host: '127.0.0.1',
      port: Number(port),
      localAddress: from,
      onread: {
        buffer: octet,
        callback: () => {
          tally.readOctets += 1;
          setTimeout(() => socket.resume(), 1000);
          // Node pauses then.
          return false;
        },
      },
    });
    socket.on('connect', () => {
      tally.connected += 1;
      socket.write('USER ann@example.org\r\nPASS open sesame\r\nRETR 1\r\n');
    });
    socket.on('error', () => (tally.errors += 1));
  };
  // The system takes megabytes for each before it is full. All at once that would be a load of its own.
  for (let begun = 0; begun < count; begun += 1) setTimeout(start, begun * readerPaceMs);
}

function reset(): void {
  const startMs = performance.now();
  let begun = 0;
  setInterval(() => {
    const due = ((performance.now() - startMs) / 1000) * count;
    // What could not be begun in time is not made up for in one burst.
    const most = begun + (2 * count * tickMs) / 1000;
    for (; begun < Math.min(due, most); begun += 1) open((socket) => socket.resetAndDestroy());
    begun = Math.max(begun, Math.floor(due));
  }, tickMs);
}

const attacks: Readonly<Record<string, () => void>> = { trickle, read, reset };
attacks[kind]?.();
process.stdin.on('end', () => {
  process.stdout.write(`${JSON.stringify(tally)}\n`, () => process.exit(0));
});
process.stdin.resume();
