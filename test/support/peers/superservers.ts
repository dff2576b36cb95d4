// Ways to have pop3d started for each connection, with the configuration files of services/ where there are any.

import { readFileSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expectProgram } from './debian.js';
import { pop3RunFile } from '../programs/mail-server.js';
import { builtProgram } from '../programs/run-program.js';

/** What a super-server is started with. */
export interface Situation {
  /** Of 127.0.0.1. */
  readonly port: number;
  /** The mail root, which also holds `passdb.sqlite`. */
  readonly mailRoot: string;
  /** Where configuration files may be written. */
  readonly scratch: string;
  /** A folder that holds `pop3d`, `tcpsrun` and `pop3record`. */
  readonly bin: string;
  /** The session is to be denied. */
  readonly isDenied: boolean;
}

export interface Superserver {
  readonly name: string;
  /** Programs it needs. */
  readonly needs: readonly string[];
  /** Only root can start it. */
  readonly needsRoot?: true;
  /** Where pop3d's log lines go. */
  readonly log: 'stderr' | 'syslog';
  /** The command line; the current directory is the mail root. */
  readonly command: (situation: Situation) => readonly string[];
}

const services = fileURLToPath(new URL('../../../../services', import.meta.url));
const recordRunFile = join(dirname(pop3RunFile), 'pop3-record.run');

/** `pop3d` with its arguments. */
function pop3d({ bin, mailRoot, isDenied }: Situation, ...more: readonly string[]): string[] {
  return [
    join(bin, 'pop3d'),
    '--passdb',
    join(mailRoot, 'passdb.sqlite'),
    ...(isDenied ? ['--accesslevel', '0'] : []),
    ...more,
  ];
}

/** A file of services/, for a user and places of the test's own. */
function adapted(file: string, { bin, mailRoot, isDenied }: Situation): string {
  return readFileSync(join(services, file), 'utf8')
    .replaceAll('/usr/local/bin', `${bin}:${dirname(process.execPath)}`)
    .replaceAll(
      '/etc/pop3/passdb.sqlite',
      `${mailRoot}/passdb.sqlite${isDenied ? ' --accesslevel 0' : ''}`,
    )
    .replaceAll('/srv/mail', mailRoot)
    .replaceAll('vmail', userInfo().username);
}

/** tcpsrun with a run file of run/; the variables the file uses come from env(1). */
function tcpsrun(
  { port, mailRoot, scratch, bin, isDenied }: Situation,
  runFile: string,
  ...variables: readonly string[]
): string[] {
  const rules = join(scratch, 'rules');
  writeFileSync(rules, `default ${isDenied ? 0 : 1}\n`);
  return [
    '/usr/bin/env',
    `PATH=${bin}:${process.env['PATH'] ?? ''}`,
    `POP3D=${bin}/pop3d`,
    `MAILROOT=${mailRoot}`,
    ...variables,
    join(bin, 'tcpsrun'),
    '--rules',
    rules,
    '127.0.0.1',
    String(port),
    runFile,
  ];
}

export const superservers: readonly Superserver[] = [
  {
    name: 'tcpsrun',
    needs: [],
    log: 'stderr',
    command: (situation) => tcpsrun(situation, pop3RunFile),
  },
  {
    name: 'tcpsrun with the recording run file',
    needs: [],
    log: 'stderr',
    command: (situation) => tcpsrun(situation, recordRunFile, `RECORDS=${situation.scratch}`),
  },
  {
    name: 'tcpserver',
    needs: ['tcpserver'],
    log: 'stderr',
    command: (situation) => [
      expectProgram('tcpserver'),
      ...['-HRl0', '127.0.0.1', String(situation.port)],
      ...pop3d(situation),
    ],
  },
  {
    name: 'tcpsvd',
    needs: ['tcpsvd'],
    log: 'stderr',
    command: (situation) => [
      expectProgram('tcpsvd'),
      ...['127.0.0.1', String(situation.port)],
      ...pop3d(situation),
    ],
  },
  {
    name: 'xinetd',
    needs: ['xinetd'],
    needsRoot: true,
    log: 'syslog',
    command: (situation) => {
      const file = join(situation.scratch, 'xinetd.conf');
      const unlisted = `\ttype = UNLISTED\n\tbind = 127.0.0.1\n\tport = ${situation.port}\n}`;
      writeFileSync(file, adapted('xinetd/pop3', situation).replace(/^\}/m, unlisted));
      const pidFile = join(situation.scratch, 'xinetd.pid');
      return [expectProgram('xinetd'), '-dontfork', '-f', file, '-pidfile', pidFile];
    },
  },
  {
    name: 'openbsd-inetd',
    needs: ['inetd'],
    needsRoot: true,
    log: 'syslog',
    command: (situation) => {
      const file = join(situation.scratch, 'inetd.conf');
      const address = `127.0.0.1:${situation.port} stream`;
      writeFileSync(file, adapted('inetd/inetd.conf', situation).replace(/^pop3 stream/m, address));
      return [expectProgram('inetd'), '-i', file];
    },
  },
  {
    name: 'systemd-socket-activate --accept --inetd',
    needs: ['systemd-socket-activate'],
    log: 'stderr',
    command: (situation) => [
      expectProgram('systemd-socket-activate'),
      ...['--accept', '--inetd', `--listen=127.0.0.1:${situation.port}`],
      ...pop3d(situation),
    ],
  },
  {
    name: 'systemd-socket-activate --accept',
    needs: ['systemd-socket-activate'],
    log: 'stderr',
    command: (situation) => [
      expectProgram('systemd-socket-activate'),
      ...['--accept', `--listen=127.0.0.1:${situation.port}`],
      ...pop3d(situation, '3'),
    ],
  },
  {
    name: 'systemd-socket-activate and tcpsrun',
    needs: ['systemd-socket-activate'],
    log: 'stderr',
    command: (situation) => [
      expectProgram('systemd-socket-activate'),
      ...[`--listen=127.0.0.1:${situation.port}`],
      ...tcpsrun(situation, pop3RunFile),
    ],
  },
  {
    name: 'socat with a socket pair',
    needs: ['socat'],
    log: 'stderr',
    command: (situation) => socat(situation, ''),
  },
  {
    name: 'socat with pipes',
    needs: ['socat'],
    log: 'stderr',
    command: (situation) => socat(situation, ',pipes'),
  },
];

function socat(situation: Situation, option: string): readonly string[] {
  const listen = `TCP-LISTEN:${situation.port},bind=127.0.0.1,fork,reuseaddr`;
  return [expectProgram('socat'), listen, `EXEC:${pop3d(situation).join(' ')}${option}`];
}

/** Puts `pop3d`, `tcpsrun`, `pop3record` and a `logger` that writes to a socket of the test's own into a folder. */
export function fillBin(bin: string, syslogSocket: string): void {
  for (const name of ['pop3d', 'tcpsrun', 'pop3record']) {
    const script = `#!/bin/sh\nexec ${process.execPath} ${builtProgram(name)} "$@"\n`;
    writeFileSync(join(bin, name), script, { mode: 0o755 });
  }
  const logger = `#!/bin/sh\nexec ${expectProgram('logger')} --socket ${syslogSocket} "$@"\n`;
  writeFileSync(join(bin, 'logger'), logger, { mode: 0o755 });
}
