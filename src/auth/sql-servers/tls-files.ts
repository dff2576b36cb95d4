// The files of certificates and keys that a source names, as node:tls wants them.

import { readFile } from 'node:fs/promises';
import { ConfigurationError } from '../../system/failures/failures.js';
import { systemWords } from '../../system/failures/system-words.js';

export interface TlsFiles {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

/**
 * @param names which parameter of the source names which file
 * @throws ConfigurationError for a file that cannot be read
 */
export async function readTlsFiles(
  parameters: ReadonlyMap<string, string>,
  names: Readonly<Record<keyof TlsFiles, string>>,
): Promise<TlsFiles> {
  const files = await Promise.all(
    Object.entries(names).map(async ([purpose, name]) => {
      const file = parameters.get(name);
      if (file === undefined) return [];
      try {
        return [[purpose, await readFile(file)] as const];
      } catch (error) {
        throw new ConfigurationError(`${name} ${file}: ${systemWords(error)}`);
      }
    }),
  );
  return Object.fromEntries(files.flat());
}
