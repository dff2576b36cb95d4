// Log lines to syslog's mail facility through logger(1), one process for the life of the program.

import { spawn } from 'node:child_process';
import { Socket } from 'node:net';
import type { LineSink } from './stderr-sink.js';

const maxHeldBytes = 1 << 20;

/**
 * logger(1) makes a message of its own of what is over 1 KiB; a peer who fills a line could write
 * that message.
 */
const maxMessageLength = 1000;

/** Starts logger(1). When it cannot be started, or ends, the lines are lost and nothing else is. */
export function spawnLogger(program: string): LineSink {
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
      const message = (line.startsWith(prefix) ? line.slice(prefix.length) : line).trimEnd();
      input.write(
        message.length <= maxMessageLength
          ? `${message}\n`
          : `${message.slice(0, maxMessageLength)}...\n`,
      );
    },
    flush: async (timeoutMs) => {
      const deadline = performance.now() + timeoutMs;
      while (input.writable && input.writableLength > 0 && performance.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      // A write under way keeps the process alive.
      if (input.writableLength > 0) input.destroy();
    },
  };
}
