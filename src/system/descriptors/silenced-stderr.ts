// Standard error in a program whose log goes to syslog.

import { closeSync, openSync } from 'node:fs';

/** In the process, and not in this module, which a bundled program has twice. */
const silenced = Symbol.for('pop3-suite.silenced-stderr');

/** Puts /dev/null in the place of descriptor 2, so that the runtime cannot print to the peer. */
export function silenceStderr(): void {
  try {
    closeSync(2);
  } catch {
    // It was closed already.
  }
  // open(2) returns the lowest free descriptor, which is 2 now.
  openSync('/dev/null', 'w');
  Object.defineProperty(process, silenced, { value: true, configurable: true });
}

/** Whether what is written to standard error reaches nobody: syslog has the log. */
export function isStderrSilenced(): boolean {
  return silenced in process;
}
