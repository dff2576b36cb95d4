// A log whose stderr cannot be opened anew: a socket, as systemd's journal gives it, or another user's pipe. libuv writes it.

import { Socket } from 'node:net';
import type { LineSink } from './stderr-sink.js';

const maxHeldBytes = 1 << 20;

/** @throws TypeError when it is neither a stream socket nor a pipe */
export function openSocketSink(fd: number): LineSink {
  const socket = new Socket({ fd, readable: false, writable: true });
  socket.on('error', () => undefined);
  socket.unref();
  return {
    write: (line) => {
      if (socket.writable && socket.writableLength < maxHeldBytes) socket.write(line);
    },
    flush: async (timeoutMs) => {
      const deadline = performance.now() + timeoutMs;
      while (socket.writable && socket.writableLength > 0 && performance.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      // A write under way keeps the process alive. libuv leaves descriptor 2 open.
      if (socket.writableLength > 0) socket.destroy();
    },
  };
}
