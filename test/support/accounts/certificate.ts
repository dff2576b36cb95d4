// Certificates for tests, made by openssl(1) when they are needed. They name localhost or another host, 127.0.0.1 and ::1, and sign themselves.

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

const subject = ['-subj', '/CN=localhost'];
function namesOf(host: string): readonly string[] {
  return ['-addext', `subjectAltName=DNS:${host},IP:127.0.0.1,IP:::1`];
}

/** Key types of `openssl req -newkey`; an elliptic curve key is the quickest to make. */
export type KeyType = 'ec' | 'rsa:2048' | 'rsa:512' | 'ed25519';

/** Makes `NAME.crt` and `NAME.key` (mode 0600) in a folder, valid from now on. */
export function makeCertificate(
  folder: string,
  {
    name = 'server',
    keyType = 'ec',
    host = 'localhost',
  }: { readonly name?: string; readonly keyType?: KeyType; readonly host?: string } = {},
): CertificateFiles {
  const files = filesNamed(folder, name);
  const curve = keyType === 'ec' ? ['-pkeyopt', 'ec_paramgen_curve:P-256'] : [];
  openssl(
    ...[
      'req',
      '-x509',
      '-newkey',
      keyType,
      ...curve,
      '-nodes',
      '-days',
      '2',
      ...subject,
      ...namesOf(host),
    ],
    ...['-keyout', files.key, '-out', files.cert],
  );
  return files;
}

/** As `makeCertificate`, for certificates of other times. @param from and `to` as YYYYMMDDHHMMSSZ */
export function makeCertificateValid(
  folder: string,
  { name, from, to }: { readonly name: string; readonly from: string; readonly to: string },
): CertificateFiles {
  const files = makeCertificate(folder, { name });
  const configuration = join(folder, `${name}.cnf`);
  writeFileSync(join(folder, `${name}.index`), '');
  writeFileSync(
    configuration,
    [
      '[ca]',
      'default_ca = own',
      '[own]',
      `database = ${join(folder, `${name}.index`)}`,
      `new_certs_dir = ${folder}`,
      'rand_serial = yes',
      'default_md = sha256',
      'policy = any',
      '[any]',
      'commonName = supplied',
      '',
    ].join('\n'),
  );
  const request = join(folder, `${name}.csr`);
  openssl('req', '-new', '-key', files.key, ...subject, '-out', request);
  openssl(
    ...['ca', '-config', configuration, '-batch', '-notext', '-selfsign', '-keyfile', files.key],
    ...['-in', request, '-startdate', from, '-enddate', to, '-out', files.cert],
  );
  return files;
}

/** Writes certificate and key into one file. @returns its path */
export function joinIntoOnePem({ cert, key }: CertificateFiles, path: string): string {
  writeFileSync(path, Buffer.concat([readFileSync(key), readFileSync(cert)]), { mode: 0o600 });
  return path;
}

function filesNamed(folder: string, name: string): CertificateFiles {
  return { cert: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) };
}

function openssl(...args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
