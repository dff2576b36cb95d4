// TLS for a process that serves for long: certificates and keys are read again when their files
// change. While a pair does not work, as between the two steps of a renewal, the last good one
// stays.

import { FileWatch } from '../files/file-stamp.js';
import {
  loadServerCertificate,
  type CertificateFiles,
  type ServerCertificate,
} from './server-certificate.js';
import { serverTls, type ServerTls } from './tls-server.js';

export interface TlsReports {
  /** A new pair is in use. */
  readonly onReload: (certificateFile: string) => void;
  /** What an administrator should know: logged once while it stays the same. */
  readonly onWarning: (why: string) => void;
}

/** The first is for clients that name no server, and for names that no other is for. */
export type AllCertificateFiles = readonly [CertificateFiles, ...CertificateFiles[]];

/**
 * Loads certificate chains and their keys, and looks at their files before each handshake.
 *
 * @throws ConfigurationError that names the file, as `loadServerCertificate`
 */
export function watchServerTls(
  [first, ...others]: AllCertificateFiles,
  reports: TlsReports,
): ServerTls {
  const ofFirst = watchCertificate(first, reports);
  const ofOthers = others.map((files) => watchCertificate(files, reports));
  return serverTls(() => [ofFirst(), ...ofOthers.map((current) => current())]);
}

/** @returns what gives the pair as it is now, or as it was when it last worked */
function watchCertificate(
  files: CertificateFiles,
  { onReload, onWarning }: TlsReports,
): () => ServerCertificate {
  const { certificateFile, keyFile } = files;
  const watches = [certificateFile, keyFile].map((file) => new FileWatch(file));
  const haveChanged = (): boolean => {
    try {
      // Each must look, so that each remembers.
      return watches.map((watch) => watch.mayHaveChanged()).includes(true);
    } catch {
      return true;
    }
  };
  haveChanged();
  let certificate = loadServerCertificate(files);
  certificate.warnings.forEach(onWarning);
  let problem = '';
  const reload = (): void => {
    try {
      const next = loadServerCertificate(files);
      if (next.identity !== certificate.identity) {
        next.warnings.forEach(onWarning);
        onReload(certificateFile);
      }
      certificate = next;
      problem = '';
    } catch (error) {
      const why = `${(error as Error).message}; the certificate that was loaded before stays in use`;
      if (why !== problem) onWarning(why);
      problem = why;
    }
  };
  return () => {
    // What did not work may work now though no file changed: a certificate that was not valid yet.
    if (haveChanged() || problem !== '') reload();
    return certificate;
  };
}
