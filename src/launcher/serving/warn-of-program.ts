// Looks at a run file before the first client comes.

import { realpathSync } from 'node:fs';
import { basename } from 'node:path';
import type { Log } from '../../system/log/log.js';
import { whyNoSqlite } from '../../system/sqlite/open-sqlite.js';
import { runFileUses } from '../../run-file/evaluate-run-file.js';
import { findProgram } from '../../run-file/find-program.js';
import { readRunFile } from '../../run-file/read-run-file.js';
import { RunFileError } from '../../run-file/run-file-error.js';
import {
  connectionVariables,
  unknownConnection,
  unratedClient,
} from '../handing-over/connection-facts.js';
import { planLaunch, type Service } from '../handing-over/run-file-parameters.js';

/**
 * What cannot be started costs connections, not the service. An administrator wants to know at
 * once, and not from the first client.
 */
export function warnOfProgram(service: Service, log: Log): void {
  try {
    const variables = connectionVariables;
    if (runFileUses(readRunFile(service.runFile), { variables })) return;
    const { launch } = planLaunch(service, unknownConnection, unratedClient);
    const program = realpathSync(findProgram(launch));
    const why = basename(program, '.cjs') === 'pop3d' ? whyNoSqlite() : null;
    if (why !== null) log.write('warning', { why });
  } catch (error) {
    if (!(error instanceof RunFileError)) throw error;
    log.write('warning', { why: error.message });
  }
}
