// The machine that figures were measured on, as far as they depend on it.

import { execFileSync } from 'node:child_process';
import { cpus, release, totalmem, type } from 'node:os';
import { tryFindProgram } from '../test/support/peers/debian.js';

export interface Machine {
  /** For a file's name: processor and number of cores. */
  readonly slug: string;
  /** What it is made of, by name. */
  readonly facts: readonly (readonly [name: string, value: string])[];
}

export function describeMachine(): Machine {
  const processors = cpus();
  const model = (processors[0]?.model ?? 'unknown processor').replace(/\s+/g, ' ').trim();
  const slug = `${model} ${processors.length} cores`.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  return {
    slug,
    facts: [
      ['processor', `${model}, ${processors.length} cores`],
      ['memory', `${Math.round(totalmem() / 2 ** 30)} GiB`],
      ['kernel', `${type()} ${release()}`],
      ['Node.js', process.version],
      ['Dovecot', dovecotVersion()],
    ],
  };
}

function dovecotVersion(): string {
  const path = tryFindProgram('dovecot');
  if (path === null) return 'not installed';
  return execFileSync(path, ['--version'], { encoding: 'latin1' }).trim();
}
