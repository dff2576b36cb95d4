// Reads stored passwords from a SQLite file that others write: opened read-only, opened anew when the file is replaced,
// patient while it is locked. Knows SQL and files; knows nothing of schemes or verdicts.

import { statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Database, Statement } from 'better-sqlite3';
import type { LoginName } from '../accounts/login-name.js';
import { RememberedRows } from './remembered-rows.js';

export interface PasswordTableOptions {
  /** Path of the SQLite file. */
  readonly file: string;
  /** A query for a database of another shape: `:user`, `:domain`, `:address`; the first column is the password. */
  readonly query?: string | undefined;
  /** How long a locked database is tried for; 5 s unless told. */
  readonly busyTimeoutMs?: number | undefined;
  /** How many rows are remembered while nobody writes to the file, for processes that serve many sessions; 0 unless told. */
  readonly rememberedRows?: number | undefined;
}

export interface PasswordRow {
  /** As stored, scheme and all. */
  readonly password: string;
  readonly isActive: boolean;
}

/** Nothing could be read. The message names file and fault; `isLasting`: only a change of configuration mends it. */
export class TableUnavailableError extends Error {
  readonly isLasting: boolean;

  constructor(message: string, isLasting: boolean) {
    super(message);
    this.isLasting = isLasting;
  }
}

const ownQuery = 'SELECT password, active FROM users WHERE username = :user AND domain = :domain';
/** How many passwords are looked at to learn what is typical. */
const sampleSize = 32;
const defaultBusyTimeoutMs = 5000;

interface OpenTable {
  readonly database: Database;
  readonly device: number;
  readonly inode: number;
  readonly byName: Statement;
  /** Newest first; null where the query's first column is no column of a table. */
  readonly sample: Statement | null;
  readonly withUsableForScram: Statement | null;
  readonly secret: Statement | null;
  /** Whether what `byName` gives depends on nothing but the file: a view or another query may ask what time it is. */
  readonly isOwnTable: boolean;
}

export class PasswordTable {
  readonly #options: PasswordTableOptions;
  /** Loaded at the first login; asking the module loader each time costs more than a row. */
  #Sqlite: typeof import('better-sqlite3') | undefined;
  #open: OpenTable | undefined;
  #isClosed = false;
  readonly #rows: RememberedRows<{ readonly found: PasswordRow | null }>;

  constructor(options: PasswordTableOptions) {
    this.#options = options;
    this.#rows = new RememberedRows(options.file, options.rememberedRows ?? 0);
  }

  /** The row of a user, or null. @throws TableUnavailableError */
  find(name: LoginName): Promise<PasswordRow | null> {
    const address = `${name.user}@${name.domain}`;
    return this.#read(({ byName, isOwnTable }) => {
      const known = this.#rows.find(address);
      if (known !== undefined) return known.found;
      const row = byName.get({ ...name, address }) as readonly unknown[] | undefined;
      const found = row === undefined || row[0] === null ? null : this.#asRow(row);
      // That nobody has a name is remembered as well: both must take the same time.
      if (isOwnTable) this.#rows.add(address, { found });
      return found;
    });
  }

  #asRow([password, active]: readonly unknown[]): PasswordRow {
    const isActive = this.#options.query !== undefined || active === 'Y';
    return { password: asText(password), isActive };
  }

  /** Some of the stored passwords, the newest first; none when the query hides where they come from. */
  sample(): Promise<readonly string[]> {
    return this.#read(({ sample }) =>
      ((sample?.all() ?? []) as readonly (readonly unknown[])[])
        .filter((row) => row[0] !== null)
        .map((row) => asText(row[0])),
    );
  }

  /** Whether a row holds a password that SCRAM can use: `{SCRAM-SHA-256}`, `{PLAIN}` and its other names. */
  hasPasswordForScram(): Promise<boolean> {
    return this.#read(({ withUsableForScram }) => withUsableForScram?.get() !== undefined);
  }

  /** What passdb put into the database for made-up SCRAM salts; null in a database that passdb never wrote. */
  decoySecret(): Promise<Buffer | null> {
    return this.#read(({ secret }) => {
      const row = secret?.get() as readonly unknown[] | undefined;
      return row?.[0] instanceof Buffer && row[0].length >= 16 ? row[0] : null;
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#drop();
  }

  /** SQLite itself never waits here: it would hold up every session of the process. */
  async #read<T>(work: (table: OpenTable) => T): Promise<T> {
    const Sqlite = (this.#Sqlite ??= (await import('better-sqlite3')).default);
    const deadline = performance.now() + (this.#options.busyTimeoutMs ?? defaultBusyTimeoutMs);
    for (let pauseMs = 4; ; pauseMs = Math.min(2 * pauseMs, 64)) {
      if (this.#isClosed)
        throw new TableUnavailableError('the password database was closed', false);
      try {
        return work(this.#current(Sqlite));
      } catch (error) {
        const code = sqliteCode(error);
        if (!code.startsWith('SQLITE_BUSY') || performance.now() + pauseMs > deadline) {
          this.#drop();
          throw this.#explain(error, code);
        }
      }
      await delay(pauseMs);
    }
  }

  #current(Sqlite: typeof import('better-sqlite3')): OpenTable {
    const { file } = this.#options;
    // A FIFO would block the open for ever, a directory has worse messages.
    const stats = statSync(file);
    if (!stats.isFile()) throw new TableUnavailableError(`${file} is not a regular file`, true);
    this.#rows.look(stats);
    if (this.#open?.device === stats.dev && this.#open.inode === stats.ino) return this.#open;
    this.#drop();
    const database = new Sqlite(file, { readonly: true, fileMustExist: true, timeout: 0 });
    try {
      const statements = prepareStatements(database, file, this.#options.query);
      this.#open = { database, device: stats.dev, inode: stats.ino, ...statements };
      return this.#open;
    } catch (error) {
      database.close();
      throw error;
    }
  }

  #drop(): void {
    const open = this.#open;
    this.#open = undefined;
    open?.database.close();
  }

  #explain(error: unknown, code: string): TableUnavailableError {
    if (error instanceof TableUnavailableError) return error;
    const { file } = this.#options;
    const message = error instanceof Error ? error.message : String(error);
    if (code.startsWith('SQLITE_BUSY')) {
      return new TableUnavailableError(`${file} is locked by another program`, false);
    }
    if (code === 'SQLITE_READONLY_ROLLBACK') {
      return new TableUnavailableError(
        `${file} has a journal left by a crash; any passdb command run by its owner mends it`,
        false,
      );
    }
    if (/^SQLITE_(?:READONLY|CANTOPEN)/.test(code)) {
      return new TableUnavailableError(
        `${file} cannot be read by this user, or is in WAL mode in a directory that it cannot write`,
        false,
      );
    }
    // A query that does not compile, or has parameters of other names, comes without a code of the system's.
    return new TableUnavailableError(`${file}: ${message}`, code === 'SQLITE_ERROR' || code === '');
  }
}

function prepareStatements(
  database: Database,
  file: string,
  query: string | undefined,
): Omit<OpenTable, 'database' | 'device' | 'inode'> {
  database.pragma('trusted_schema = OFF');
  if (query === undefined && database.pragma('user_version', { simple: true }) !== 0) {
    throw new TableUnavailableError(
      `${file} has a user_version that is not passdb's; --passdb-query reads databases of another shape`,
      true,
    );
  }
  const byName = database.prepare(query ?? ownQuery);
  if (!byName.reader) throw new TableUnavailableError('the passdb query returns no rows', true);
  const [origin] = byName.columns();
  byName.raw();
  const hasSecret =
    database
      .prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'scram_decoy'")
      .get() !== undefined;
  const secret = hasSecret ? database.prepare('SELECT secret FROM scram_decoy').raw() : null;
  if (typeof origin?.column !== 'string' || typeof origin.table !== 'string') {
    return { byName, sample: null, withUsableForScram: null, secret, isOwnTable: false };
  }
  // These names are the schema's own, as SQLite reports them; none comes from a peer.
  const [column, table] = [origin.column, origin.table].map(
    (name) => `"${name.replaceAll('"', '""')}"`,
  ) as [string, string];
  return {
    byName,
    sample: prepareSample(database, column, table),
    withUsableForScram: database.prepare(
      `SELECT 1 FROM ${table} WHERE ${column} LIKE '{SCRAM-SHA-256%' OR ${column} LIKE '{PLAIN%' OR ${column} LIKE '{CLEAR%' LIMIT 1`,
    ),
    secret,
    isOwnTable: query === undefined && origin.table === 'users',
  };
}

function prepareSample(database: Database, column: string, table: string): Statement {
  const select = `SELECT ${column} FROM ${table}`;
  try {
    return database.prepare(`${select} ORDER BY rowid DESC LIMIT ${sampleSize}`).raw();
  } catch {
    // A table WITHOUT ROWID has no age to go by.
    return database.prepare(`${select} LIMIT ${sampleSize}`).raw();
  }
}

function asText(value: unknown): string {
  if (Buffer.isBuffer(value)) return value.toString('utf8');
  return typeof value === 'string' ? value : '';
}

function sqliteCode(error: unknown): string {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return code ?? '';
}
