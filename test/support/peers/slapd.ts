// An LDAP server of the test's own, on a socket in a folder of its own.

import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { poll } from '../suite/deadline.js';
import type { Teardown } from '../programs/run-program.js';
import { expectProgram, unlessInstalled } from './debian.js';
import { runUnprivileged, serverFolder, startUnprivileged } from './unprivileged.js';

/** For tap's `skip` option. */
export function unlessSlapd(): string | false {
  return unlessInstalled('slapd', 'slapadd', 'ldapwhoami');
}

export interface LdapServer {
  /** Its ldapi URI. */
  readonly uri: string;
}

/** Serves `dc=example,dc=org` with the people of `passwords`, by mail address. */
export async function startSlapd(
  t: Teardown,
  passwords: Readonly<Record<string, string>>,
): Promise<LdapServer> {
  const folder = serverFolder(t, 'slapd');
  await chmod(folder, 0o755); // Dovecot's auth process is neither root nor nobody.
  const configuration = join(folder, 'slapd.conf');
  const schema = ['core', 'cosine', 'inetorgperson']
    .map((name) => `include /etc/ldap/schema/${name}.schema\n`)
    .join('');
  await writeFile(
    configuration,
    `${schema}modulepath /usr/lib/ldap
moduleload back_mdb
pidfile ${folder}/pid
database mdb
suffix "dc=example,dc=org"
directory ${folder}
access to attrs=userPassword by anonymous auth
access to * by * read
`,
  );
  const people = Object.entries(passwords).map(
    ([mail, password], index) =>
      `dn: uid=u${index},dc=example,dc=org\nobjectClass: inetOrgPerson\nuid: u${index}\ncn: u\nsn: u\nmail: ${mail}\nuserPassword: ${password}\n\n`,
  );
  const ldif = join(folder, 'people.ldif');
  const root =
    'dn: dc=example,dc=org\nobjectClass: dcObject\nobjectClass: organization\no: example\ndc: example\n\n';
  await writeFile(ldif, root + people.join(''));
  await runUnprivileged(expectProgram('slapadd'), ['-f', configuration, '-l', ldif]);
  const uri = `ldapi://${encodeURIComponent(join(folder, 'socket'))}`;
  // With -d it stays in the foreground.
  startUnprivileged(t, expectProgram('slapd'), ['-d', '0', '-f', configuration, '-h', uri]);
  await poll('slapd answers', () =>
    runUnprivileged(expectProgram('ldapwhoami'), ['-x', '-H', uri]).then(
      () => true,
      () => undefined,
    ),
  );
  return { uri };
}
