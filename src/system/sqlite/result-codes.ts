// Names of SQLite's result codes, for an engine that tells numbers only. sqlite.org/rescode.html.

const primary = [
  ...['OK', 'ERROR', 'INTERNAL', 'PERM', 'ABORT', 'BUSY', 'LOCKED', 'NOMEM', 'READONLY'],
  ...['INTERRUPT', 'IOERR', 'CORRUPT', 'NOTFOUND', 'FULL', 'CANTOPEN', 'PROTOCOL', 'EMPTY'],
  ...['SCHEMA', 'TOOBIG', 'CONSTRAINT', 'MISMATCH', 'MISUSE', 'NOLFS', 'AUTH', 'FORMAT', 'RANGE'],
  'NOTADB',
];

/** The extended ones that somebody goes by. */
const extended: Readonly<Record<number, string>> = {
  261: 'BUSY_RECOVERY',
  517: 'BUSY_SNAPSHOT',
  776: 'READONLY_ROLLBACK',
};

/** @returns such as `SQLITE_BUSY`; for an extended code without a name here, that of the primary */
export function resultCodeName(code: number): string {
  const name = extended[code] ?? primary[code & 0xff] ?? 'ERROR';
  return `SQLITE_${name}`;
}
