// Dovecot's auth service alone, with passwords and users as the test configures them: no POP3, no IMAP. Needs root, because
// Dovecot changes users.

import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { poll } from '../suite/deadline.js';
import { expectProgram } from './debian.js';
import { startCommand, type RunningProgram, type Teardown } from '../programs/run-program.js';
import { signalTree } from './unprivileged.js';

export interface DovecotAuth {
  /** What `--passdb dovecot:…` takes. */
  readonly directory: string;
  log(): Promise<string>;
  stop(): Promise<void>;
  /** Ends it as `kill -9` does, with all its children. */
  kill(): Promise<void>;
  /** Starts it again after `stop` or `kill`. */
  start(): Promise<void>;
  freeze(): void;
  thaw(): void;
}

/** @param settings blocks of passdb and userdb, and whatever else @param wrapper a command that runs it, such as unshare */
export async function startDovecotAuth(
  t: Teardown,
  settings: string,
  wrapper: readonly string[] = [],
): Promise<DovecotAuth> {
  const folder = await mkdtemp(join(tmpdir(), 'dovecot-auth-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  await chmod(folder, 0o755);
  const directory = join(folder, 'run');
  await mkdir(directory);
  const configuration = join(folder, 'dovecot.conf');
  await writeFile(
    configuration,
    `base_dir = ${directory}
log_path = ${folder}/dovecot.log
protocols =
ssl = no
auth_mechanisms = plain
auth_failure_delay = 0
first_valid_uid = 1
first_valid_gid = 1
service auth {
  unix_listener auth-client {
    mode = 0666
  }
  unix_listener auth-userdb {
    mode = 0777
  }
}
${settings}
`,
  );
  const [file, ...words] = [...wrapper, expectProgram('dovecot'), '-F', '-c', configuration];
  let master: RunningProgram = startCommand(t, file, words);
  const log = (): Promise<string> =>
    readFile(join(folder, 'dovecot.log'), 'latin1').catch(() => master.stderr);
  const stop = async (): Promise<void> => {
    signalTree(master.pid, 'SIGCONT');
    // Killed outright it would leave its children behind.
    signalTree(master.pid, 'SIGTERM');
    await master.ending;
  };
  t.teardown(stop);
  const untilItListens = (): Promise<unknown> =>
    poll('Dovecot makes its socket', () =>
      stat(join(directory, 'auth-client')).then(
        () => true,
        () => undefined,
      ),
    ).catch(async (error: unknown) => {
      throw new Error(`${String(error)}\n${master.stderr}${await log()}`);
    });
  await untilItListens();
  return {
    directory,
    log,
    stop,
    async kill() {
      signalTree(master.pid, 'SIGKILL');
      await master.ending;
    },
    async start() {
      // One that was killed leaves its socket behind.
      await rm(join(directory, 'auth-client'), { force: true });
      master = startCommand(t, file, words);
      await untilItListens();
    },
    freeze: () => {
      signalTree(master.pid, 'SIGSTOP');
    },
    thaw: () => {
      signalTree(master.pid, 'SIGCONT');
    },
  };
}
