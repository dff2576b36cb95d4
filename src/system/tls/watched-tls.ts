// TLS for a process that serves for long: certificate and key are read again when their files
// change. While they do not work, as between the two steps of a renewal, the last good pair stays.

import { FileWatch } from '../files/file-stamp.js';
import { loadServerTls, type ServerTls } from './tls-server.js';

export interface TlsReports {
  /** A new pair is in use. */
  readonly onReload: () => void;
  /** What an administrator should know: logged once while it stays the same. */
  readonly onWarning: (why: string) => void;
}

/**
 * Loads a certificate chain and its key, and looks at their files before each handshake.
 *
 * @throws ConfigurationError that names the file, as `loadServerTls`
 */
export function watchServerTls(
  certificateFile: string,
  keyFile: string,
  { onReload, onWarning }: TlsReports,
): ServerTls {
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
  let tls = loadServerTls(certificateFile, keyFile);
  tls.warnings.forEach(onWarning);
  let problem = '';
  const reload = (): void => {
    try {
      const next = loadServerTls(certificateFile, keyFile);
      if (next.identity !== tls.identity) {
        next.warnings.forEach(onWarning);
        onReload();
      }
      tls = next;
      problem = '';
    } catch (error) {
      const why = `${(error as Error).message}; the certificate that was loaded before stays in use`;
      if (why !== problem) onWarning(why);
      problem = why;
    }
  };
  return {
    get warnings() {
      return tls.warnings;
    },
    get identity() {
      return tls.identity;
    },
    accept: (connection, timeoutMs) => {
      // What did not work may work now though no file changed: a certificate that was not valid
      // yet.
      if (haveChanged() || problem !== '') reload();
      return tls.accept(connection, timeoutMs);
    },
  };
}
