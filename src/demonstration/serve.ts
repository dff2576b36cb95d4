// Runs tcpsrun with run/pop3.run for the demonstration and ends it, with the sessions it started,
// when asked to.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** How long sessions have to end after Ctrl-C. */
const graceMs = 5000;

export interface Demonstration {
  readonly mailRoot: string;
  /** The port wanted on 127.0.0.1; 0: any. */
  readonly port: number;
  /** Absolute paths of the built programs and of the run file. */
  readonly tcpsrun: string;
  readonly pop3d: string;
  readonly runFile: string;
  /** Called with the port once connections are accepted. */
  readonly onListening: (port: number) => void;
}

/**
 * Serves until SIGINT, SIGTERM or SIGHUP.
 *
 * @returns null after one of these signals, else tcpsrun's exit status
 */
export async function serveDemonstration(demonstration: Demonstration): Promise<number | null> {
  const { mailRoot, port, tcpsrun, pop3d, runFile } = demonstration;
  const child = spawn(process.execPath, [tcpsrun, '127.0.0.1', String(port), runFile], {
    stdio: ['ignore', 'inherit', 'pipe'],
    env: { ...process.env, POP3D: pop3d, MAILROOT: mailRoot },
    // A process group of its own: a terminal's Ctrl-C comes here first, and once, however many pass
    // it on.
    detached: true,
  });
  // What was written last may still be on its way when the process is gone, hence "close".
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  const sessions = new Sessions();
  createInterface({ input: child.stderr }).on('line', (line) => {
    process.stderr.write(`${line}\n`);
    sessions.follow(line);
    const listening = /^tcpsrun: listening .*\bport=(\d+)/.exec(line);
    if (listening !== null) demonstration.onListening(Number(listening[1]));
  });

  const asked = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      asked.abort();
    });
  }
  asked.signal.addEventListener('abort', () => {
    // tcpsrun stops accepting and waits for its sessions, which nobody else would end.
    child.kill('SIGTERM');
    sessions.signal('SIGTERM');
    setTimeout(() => {
      child.kill('SIGKILL');
      sessions.signal('SIGKILL');
    }, graceMs).unref();
  });
  const status = await ended;
  return asked.signal.aborted ? null : (status ?? 1);
}

/** The processes that tcpsrun has running, as its log tells. */
class Sessions {
  readonly #pids = new Set<number>();

  /** Reads a line of tcpsrun's log. */
  follow(line: string): void {
    const [, event, pid] = /^tcpsrun: (connect|end) .*\bpid=(\d+)/.exec(line) ?? [];
    if (event === 'connect') this.#pids.add(Number(pid));
    if (event === 'end') this.#pids.delete(Number(pid));
  }

  signal(signal: NodeJS.Signals): void {
    for (const pid of this.#pids) {
      try {
        process.kill(pid, signal);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    }
  }
}
