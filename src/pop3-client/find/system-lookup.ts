// A name's addresses as the system knows them: /etc/hosts, DNS or what else nsswitch.conf(5) names.
// getaddrinfo(3) cannot be stopped, and a process that exits waits for it: 10 s where no DNS server
// answers. It therefore runs in a process of its own, which can be killed.

import { execFile } from 'node:child_process';
import { lookup } from 'node:dns/promises';

/** Prints the addresses, or the error's code and message, as JSON. */
const program = `
  require('node:dns').lookup(process.argv[1], { all: true }, (error, found) => {
    console.log(JSON.stringify(
      error ? { code: error.code, message: error.message } : found.map(({ address }) => address)
    ));
  });`;

/**
 * Looks a name up.
 *
 * @throws an error with getaddrinfo's code: ENOTFOUND when there is no such name; the reason of
 *   `signal`
 */
export async function lookUpInSystem(
  name: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  signal.throwIfAborted();
  const printed = await runChild(name, signal);
  signal.throwIfAborted();
  if (printed === null) {
    const found = await lookup(name, { all: true });
    return found.map(({ address }) => address);
  }
  const answer = JSON.parse(printed) as readonly string[] | { code: string; message: string };
  if (Array.isArray(answer)) return answer as readonly string[];
  const { code, message } = answer as { code: string; message: string };
  throw Object.assign(new Error(message), { code });
}

/**
 * @returns what it printed; null when no process could be started, as where their number is limited
 */
async function runChild(name: string, signal: AbortSignal): Promise<string | null> {
  const args = ['-e', program, '--', name];
  return new Promise((resolve) => {
    const options = { signal, killSignal: 'SIGKILL' } as const;
    execFile(process.execPath, args, options, (error, stdout) => {
      resolve(error === null ? stdout : null);
    });
  });
}
