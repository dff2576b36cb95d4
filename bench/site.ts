// What every server of a part is given: whose mail, which passwords, which certificate.

import type { CertificateFiles } from '../test/support/accounts/certificate.js';

/** Debian's nobody: workers that kept root would serve nobody's mail, and Dovecot serves nothing of root's. */
export const owner = { name: 'nobody', uid: 65_534, gid: 65_534 };

export interface Site {
  /** Where logs go. */
  readonly folder: string;
  readonly mailRoot: string;
  readonly passdb: string;
  /** The login names in it. */
  readonly users: readonly string[];
  readonly tls?: CertificateFiles;
  /** Of pop3d's kept ones; 2 when absent. */
  readonly workers?: number;
  /** Whether each connection begins with a PROXY header; for kept workers. */
  readonly isBehindProxy?: boolean;
  /** The folder of another build of pop3d that is to serve; this one when absent. */
  readonly project?: string | undefined;
}
