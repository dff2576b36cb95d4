// Which SQLite this process has: better-sqlite3 where its binary is there, else Node's own. One for
// the whole process: two of them in one would let go of each other's locks. fcntl(2).

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConfigurationError } from '../failures/failures.js';
import { loadBetterEngine } from './better-engine.js';
import { tryNodeEngine } from './node-engine.js';
import type { SqliteDatabase, SqliteEngine, SqliteOpening } from './sqlite.js';

let engine: SqliteEngine | undefined;

/** @throws ConfigurationError where there is no SQLite; SqliteError */
export function openSqlite(path: string, opening: SqliteOpening): SqliteDatabase {
  return requireSqlite().open(path, opening);
}

/** @throws ConfigurationError that says what to type, where there is no SQLite */
export function requireSqlite(): SqliteEngine {
  return (engine ??= findEngine());
}

function findEngine(): SqliteEngine {
  try {
    return loadBetterEngine();
  } catch (error) {
    if (!isMissing(error as NodeJS.ErrnoException)) throw error;
  }
  const found = tryNodeEngine();
  if (found !== null) return found;
  throw new ConfigurationError(whatMends());
}

/**
 * What `requireSqlite` would say, found out by looking at files and without loading either: for a
 * program that starts another one that needs SQLite. A binary for another Node is not noticed.
 *
 * @returns null where there should be SQLite
 */
export function whyNoSqlite(): string | null {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 22 || (major === 22 && minor >= 16)) return null;
  const folder = packageFolder();
  const isBuilt = folder !== null && existsSync(join(folder, 'build/Release/better_sqlite3.node'));
  return isBuilt ? null : whatMends();
}

function whatMends(): string {
  // Where this was installed: what is above `build/src/system/sqlite`.
  const folder = fileURLToPath(new URL('../../../../', import.meta.url)).replace(/\/$/, '');
  // npm removes an optional package whose binary could not be built.
  const command = packageFolder() === null ? 'install --no-save --foreground-scripts' : 'rebuild';
  return (
    `Node ${process.versions.node} has no SQLite, and better-sqlite3 has no binary for it: ` +
    `cd ${folder} && npm ${command} better-sqlite3 ` +
    `(needs make, g++ and python3), or use Node 22.16 or later`
  );
}

/** Where better-sqlite3 is, built or not; null where it is not. */
function packageFolder(): string | null {
  try {
    const { resolve } = createRequire(import.meta.url);
    return dirname(resolve('better-sqlite3/package.json'));
  } catch {
    return null;
  }
}

/** Not installed, not built, or built for another Node; a lack of descriptors is none of these. */
function isMissing({ code, message }: NodeJS.ErrnoException): boolean {
  if (/too many open files/i.test(message)) return false;
  return (
    code === 'MODULE_NOT_FOUND' ||
    code === 'ERR_DLOPEN_FAILED' ||
    message.startsWith('Could not locate the bindings file')
  );
}
