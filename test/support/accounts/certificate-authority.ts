// A certificate authority of the test's own, made with openssl(1), and a certificate that it signed.

import { execFileSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Certificate {
  /** PEM files. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  /** SHA-256 of the certificate, upper-case hex with colons, as openssl prints it. */
  readonly fingerprint: string;
}

/**
 * @param names DNS names and addresses that the certificate is for
 * @param how `purpose` as in extendedKeyUsage; `digest` of the signature, as openssl names it
 */
export function makeSignedCertificate(
  folder: string,
  names: readonly string[],
  how: { readonly purpose?: string; readonly digest?: string } = {},
): Certificate {
  const openssl = (...args: readonly string[]): string =>
    execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] }).toString();
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl('req', '-x509', ...ec, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=Test CA');
  openssl('req', ...ec, '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=server');
  const alternatives = names.map((name) => (/^[0-9.]+$/.test(name) ? `IP:${name}` : `DNS:${name}`));
  const purpose = how.purpose === undefined ? '' : `extendedKeyUsage=${how.purpose}\n`;
  writeFileSync(join(folder, 'names'), `subjectAltName=${alternatives.join(',')}\n${purpose}`);
  const digest = `-${how.digest ?? 'sha256'}`;
  const sign = ['x509', '-req', digest, '-in', 'server.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key'];
  openssl(...sign, '-CAcreateserial', '-extfile', 'names', '-days', '2', '-out', 'server.pem');
  chmodSync(join(folder, 'server.key'), 0o644);
  const print = openssl('x509', '-in', 'server.pem', '-noout', '-fingerprint', '-sha256');
  return {
    ca: join(folder, 'ca.pem'),
    cert: join(folder, 'server.pem'),
    key: join(folder, 'server.key'),
    fingerprint: print.trim().split('=')[1] ?? '',
  };
}
