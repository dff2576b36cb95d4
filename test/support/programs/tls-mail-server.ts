// tcpsrun and pop3d with a certificate: STLS from run/pop3.run on one port, pop3s from run/pop3s.run on another.

import { fileURLToPath } from 'node:url';
import type { CertificateFiles } from '../accounts/certificate.js';
import { builtProgram, startProgram, type RunningProgram, type Teardown } from './run-program.js';

export interface TlsMailServer {
  /** Of localhost, IPv4. */
  readonly port: number;
  /** tcpsrun; its stderr has pop3d's log lines too. */
  readonly program: RunningProgram;
}

/**
 * Serves a mail root, which also holds `passdb.sqlite`, until the test ends.
 *
 * @param options.env what pop3d should find in its environment; channel binding is announced unless it says otherwise
 */
export async function startTlsMailServer(
  t: Teardown,
  way: 'stls' | 'implicit',
  {
    mailRoot,
    cert,
    key,
    env,
  }: CertificateFiles & {
    readonly mailRoot: string;
    readonly env?: Readonly<Record<string, string>>;
  },
): Promise<TlsMailServer> {
  const name = way === 'stls' ? 'pop3.run' : 'pop3s.run';
  const runFile = fileURLToPath(new URL(`../../../../run/${name}`, import.meta.url));
  const program = startProgram(t, 'tcpsrun', ['127.0.0.1', '0', runFile], {
    env: {
      POP3D: builtProgram('pop3d'),
      MAILROOT: mailRoot,
      TLS_CERT: cert,
      TLS_KEY: key,
      CHANNEL_BINDING: '1',
      ...env,
    },
  });
  const [, port] = await program.logLine(/listening.*\bport=(\d+)/);
  return { port: Number(port), program };
}
