// Log lines to syslog's mail facility through logger(1), one process for the life of the program.

import { spawn } from 'node:child_process';
import { Socket } from 'node:net';

const maxHeldBytes = 1 << 20;

/** Starts logger(1). When it cannot be started, or ends, the lines are lost and nothing else is. */
export function spawnLogger(program: string): {
  write(line: string): void;
  flush(timeoutMs: number): Promise<void>;
} {
  const logger = spawn('logger', ['-p', 'mail.info', '-t', program], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true, // A terminal's Ctrl-C ends the program, which then logs why.
  });
  logger.on('error', () => undefined);
  logger.stdin.on('error', () => undefined);
  logger.unref();
  if (logger.stdin instanceof Socket) logger.stdin.unref();
  const input = logger.stdin;
  // The tag says the program's name already.
  const prefix = `${program}: `;
  return {
    write: (line) => {
      if (!input.writable || input.writableLength > maxHeldBytes) return;
      input.write(line.startsWith(prefix) ? line.slice(prefix.length) : line);
    },
    flush: async (timeoutMs) => {
      const deadline = performance.now() + timeoutMs;
      while (input.writable && input.writableLength > 0 && performance.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    },
  };
}
