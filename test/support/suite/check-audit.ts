// Asks the registry what is known against the packages in package-lock.json, and fails when there is something. A registry that takes no
// such question is named, and fails nothing: what it does not know is not a fault of the packages. Run by .ci/run.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { judgeAudit } from './audit-verdict.js';

const { stdout } = spawnSync('npm', ['audit', '--json'], {
  cwd: fileURLToPath(new URL('../../../../', import.meta.url)),
  encoding: 'utf8',
  timeout: 120_000,
});
const { verdict, lines } = judgeAudit(stdout);
for (const line of lines) process.stdout.write(`${line}\n`);
process.exitCode = verdict === 'vulnerable' ? 1 : 0;
