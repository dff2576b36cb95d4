// What is in the maildrops when all is over, as each node sees it, against the ledger.

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sentContentOf, serialOf } from '../../torture/numbered-message.js';
import type { Cluster } from './cluster.js';
import type { MailLedger } from './mail-ledger.js';

/** To be called when nothing comes or goes any more. */
export async function settle(
  { nodes, volume }: Cluster,
  ledger: MailLedger,
  users: readonly string[],
): Promise<void> {
  await volume.healed();
  for (const { mailRoot, host } of nodes) {
    for (const user of users) {
      const inbox = join(mailRoot, 'example.org', user, 'INBOX');
      const found: string[] = [];
      for (const folder of ['new', 'cur']) {
        for (const name of await readdir(join(inbox, folder))) {
          found.push(name);
          const content = await readFile(join(inbox, folder, name), 'latin1');
          if (content.replaceAll('\n', '\r\n') === sentContentOf(serialOf(name))) continue;
          ledger.faults.push(`${host.name}: ${name} is damaged`);
        }
      }
      ledger.settle(user, found, host.name);
    }
  }
}
