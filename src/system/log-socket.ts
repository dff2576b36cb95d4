// A log whose stderr is a socket, as systemd's journal gives it: cannot be opened anew, so libuv writes it.

import { Socket } from 'node:net';

const maxHeldBytes = 1 << 20;

export function openSocketSink(fd: number): {
  write(line: string): void;
  flush(timeoutMs: number): Promise<void>;
} {
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
    },
  };
}
