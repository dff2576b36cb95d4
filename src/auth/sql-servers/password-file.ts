// The password that a database server wants, where the URI has none: from PGPASSWORD, or from a
// file as libpq reads it (PostgreSQL 34.16), for MySQL too. A line of it is
// host:port:database:user:password.

import { homedir } from 'node:os';
import { join } from 'node:path';
import { readFile, stat } from 'node:fs/promises';
import { SourceUnavailable } from '../accounts/account-source.js';
import type { ServerAddress, ServerHost } from './server-address.js';

/** @throws SourceUnavailable when there is none, or when others may read the file */
export async function findPassword(address: ServerAddress, host: ServerHost): Promise<string> {
  const found = await tryFindPassword(address, host);
  if (found !== null) return found;
  throw new SourceUnavailable(
    `the database server wants a password for ${address.user}; neither the source nor ${fileFor(address)} has one`,
    true,
  );
}

/** @throws SourceUnavailable when others may read the file */
export async function tryFindPassword(
  address: ServerAddress,
  host: ServerHost,
): Promise<string | null> {
  if (address.password !== undefined) return address.password;
  const given = address.scheme === 'postgresql' ? process.env['PGPASSWORD'] : undefined;
  if (given !== undefined && given !== '') return given;
  return findInFile(fileFor(address), address, host);
}

function fileFor({ parameters }: ServerAddress): string {
  return parameters.get('passfile') ?? process.env['PGPASSFILE'] ?? join(homedir(), '.pgpass');
}

async function findInFile(
  file: string,
  { database, user }: ServerAddress,
  { host, port }: ServerHost,
): Promise<string | null> {
  let text;
  try {
    const { mode } = await stat(file);
    if ((mode & 0o077) !== 0) {
      throw new SourceUnavailable(`${file} may be read by others: chmod 600 ${file}`, true);
    }
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof SourceUnavailable) throw error;
    return null;
  }
  // libpq: a socket is looked for under the name localhost.
  const wanted = [host.startsWith('/') ? 'localhost' : host, String(port), database, user];
  for (const line of text.split('\n')) {
    if (line.startsWith('#')) continue;
    const fields = splitFields(line);
    if (wanted.every((value, index) => fields[index] === '*' || fields[index] === value)) {
      if (fields[4]?.includes('\ufffd') === true) {
        throw new SourceUnavailable(`${file}: the password is not UTF-8`, true);
      }
      return fields[4] ?? null;
    }
  }
  return null;
}

/** A colon or backslash in a field stands behind a backslash. */
function splitFields(line: string): readonly string[] {
  const fields: string[] = [];
  let field = '';
  for (const [piece] of line.replace(/\r$/, '').matchAll(/\\.|./gsu)) {
    if (piece === ':') {
      fields.push(field);
      field = '';
    } else {
      field += /^\\./s.test(piece) ? piece.slice(1) : piece;
    }
  }
  return [...fields, field];
}
