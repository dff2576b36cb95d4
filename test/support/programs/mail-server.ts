// The real thing for tests: tcpsrun on a free port of 127.0.0.1, starting pop3d from run/pop3.run.

import { fileURLToPath } from 'node:url';
import { builtProgram, startProgram, type RunningProgram, type Teardown } from './run-program.js';

/** Absolute path of the run file that serves a mail root. */
export const pop3RunFile = fileURLToPath(new URL('../../../../run/pop3.run', import.meta.url));

export interface MailServer {
  readonly port: number;
  /** tcpsrun; its stderr has pop3d's log lines too. */
  readonly program: RunningProgram;
}

/**
 * Serves a mail root, which also holds `passdb.sqlite`, until the test ends.
 *
 * @param options.env what pop3d should find in its environment, such as DEFAULT_DOMAIN
 * @param options.args options of tcpsrun
 */
export async function startMailServer(
  t: Teardown,
  mailRoot: string,
  options: {
    readonly env?: Readonly<Record<string, string>>;
    readonly args?: readonly string[];
  } = {},
): Promise<MailServer> {
  const program = startProgram(
    t,
    'tcpsrun',
    [...(options.args ?? []), '127.0.0.1', '0', pop3RunFile],
    { env: { POP3D: builtProgram('pop3d'), MAILROOT: mailRoot, ...options.env } },
  );
  const [, port] = await program.logLine(/listening.*\bport=(\d+)/);
  return { port: Number(port), program };
}
