// What is in the maildrops when all is over, as each node sees it, against the ledger.

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { octetsOf, sentContentOf, serialOf } from '../../torture/numbered-message.js';
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
      await checkOctets(join(inbox, 'pop3d.octets'), ledger);
    }
  }
}

/** All nodes have written it: the whole of it is one's, and true. pop3d.octets(5). */
async function checkOctets(file: string, ledger: MailLedger): Promise<void> {
  // Where nobody had anything to remember there is none.
  const text = await readFile(file, 'latin1').catch(() => null);
  if (text === null) return;
  const lines = text.split('\n');
  const entries = lines.slice(1, -2);
  const isWhole =
    lines[0] === 'pop3d.octets 1' &&
    lines.at(-2) === `end ${entries.length}` &&
    lines.at(-1) === '';
  if (!isWhole) ledger.faults.push(`${file} is no whole file`);
  for (const entry of entries) {
    const [octets = '', name = ''] = entry.split(' ');
    if (Number(octets) !== octetsOf(serialOf(name))) ledger.faults.push(`${file}: ${entry}`);
  }
}
