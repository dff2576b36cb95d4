// A Dovecot that takes mail by LMTP for ann@example.org, with a Sieve script that discards what it has seen before.

import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makePasswordDatabase } from '../accounts/password-database-fixture.js';
import { freePort } from '../suite/free-port.js';
import type { Teardown } from '../programs/run-program.js';
import { unlessInstalled } from './debian.js';
import { startDovecot, unlessDovecot } from './dovecot.js';

export const recipient = 'ann@example.org';
const nobody = 65534;

/** The example of pop3get(1). */
export const duplicateScript = `require ["duplicate"];
if duplicate :header "X-Pop3get-Id" { discard; stop; }
`;

export interface LmtpDovecot {
  readonly port: number;
  readonly socket: string;
  /** The messages that it delivered, latin1, CRLF line ends. */
  delivered(): readonly string[];
  /** Takes them away. */
  clear(): void;
  /** Kills the processes that are delivering. */
  killDeliveries(): void;
  log(): Promise<string>;
}

export function unlessLmtpDovecot(): string | false {
  return unlessDovecot() || unlessInstalled('sievec') || missingModule();
}

function missingModule(): string | false {
  return existsSync('/usr/lib/dovecot/lmtp') ? false : 'not installed: dovecot-lmtpd';
}

/** @param script for Sieve; null for none */
export async function startLmtpDovecot(t: Teardown, script: string | null): Promise<LmtpDovecot> {
  const root = mkdtempSync(join(tmpdir(), 'lmtp-'));
  t.teardown(async () => {
    rmSync(root, { recursive: true, force: true });
    await Promise.resolve();
  });
  chmodSync(root, 0o755);
  const passdb = join(root, 'passdb.sqlite');
  makePasswordDatabase(passdb, { [recipient]: '{PLAIN}open sesame' });
  const home = join(root, 'example.org', 'ann');
  mkdirSync(home, { recursive: true });
  const sieve = join(root, 'script.sieve');
  writeFileSync(sieve, script ?? 'keep;\n');
  for (const path of [root, join(root, 'example.org'), home, sieve, passdb]) {
    chownSync(path, nobody, nobody);
  }
  const port = await freePort();
  const socket = join(root, 'lmtp');
  const dovecot = await startDovecot(t, {
    ...{ mailRoot: root, passdb },
    settings: `protocols = pop3 imap lmtp
service lmtp {
  process_min_avail = 0
  inet_listener lmtp {
    address = 127.0.0.1
    port = ${port}
  }
  unix_listener ${socket} {
    mode = 0666
  }
}
protocol lmtp {
  mail_plugins = sieve
}
lmtp_save_to_detail_mailbox = no
plugin {
  sieve = file:${sieve}
}
postmaster_address = postmaster@example.org
`,
  });
  const inbox = join(home, 'INBOX');
  return {
    ...{ port, socket },
    delivered: () =>
      ['new', 'cur'].flatMap((folder) =>
        existsSync(join(inbox, folder))
          ? readdirSync(join(inbox, folder)).map((name) =>
              readFileSync(join(inbox, folder, name), 'latin1').replace(/\r?\n/g, '\r\n'),
            )
          : [],
      ),
    clear: () => {
      // Dovecot writes all that it has seen anew for each message.
      rmSync(join(home, '.dovecot.lda-dupes'), { force: true });
      for (const folder of ['new', 'cur']) {
        rmSync(join(inbox, folder), { recursive: true, force: true });
        mkdirSync(join(inbox, folder), { recursive: true });
        chownSync(join(inbox, folder), nobody, nobody);
      }
    },
    killDeliveries: () => {
      for (const pid of childrenOf(dovecot.pid)) {
        if (readFileSync(`/proc/${pid}/comm`, 'latin1').trim() === 'lmtp')
          process.kill(pid, 'SIGKILL');
      }
    },
    log: () => dovecot.log(),
  };
}

function childrenOf(pid: number): readonly number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim();
  return text === '' ? [] : text.split(' ').map(Number);
}
