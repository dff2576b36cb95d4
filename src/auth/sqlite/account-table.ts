// Reads stored passwords from a SQLite file that others write: opened read-only, opened anew when
// the file is replaced, patient while it is locked. Knows SQL and files; knows nothing of schemes
// or verdicts.

import { statSync } from 'node:fs';
import { setImmediate as otherWork, setTimeout as delay } from 'node:timers/promises';
import {
  maxRows,
  SourceUnavailable,
  type AccountRow,
  type AccountSource,
} from '../accounts/account-source.js';
import type { LoginClient } from '../accounts/login-client.js';
import type { LoginName } from '../accounts/login-name.js';
import { openSqlite } from '../../system/sqlite/open-sqlite.js';
import { pragma, type SqliteDatabase, type SqliteValue } from '../../system/sqlite/sqlite.js';
import {
  isMountedByItself,
  lookAtDatabaseFiles,
  NotADatabaseFile,
  whatIsNoDatabase,
} from './database-files.js';
import { RememberedRows } from './remembered-rows.js';
import {
  prepareStatements,
  sliceRows,
  type NumberedPasswords,
  type SqliteRowOfAccount,
  type Statements,
} from './statements.js';

export interface AccountTableOptions {
  /** Path of the SQLite file. */
  readonly file: string;
  /**
   * A query for a database of another shape. Its parameters are in `find`, its columns in
   * row-columns.ts.
   */
  readonly query?: string | undefined;
  /** How long a locked database is tried for; 5 s by default. */
  readonly busyTimeoutMs?: number | undefined;
  /**
   * How many accounts are remembered while nobody writes to the file, for processes that serve many
   * sessions; 0 by default.
   */
  readonly rememberedRows?: number | undefined;
}

const defaultBusyTimeoutMs = 5000;

interface OpenTable extends Statements {
  readonly database: SqliteDatabase;
  /** Without links. */
  readonly path: string;
  readonly device: bigint;
  readonly inode: bigint;
  /** Undefined: not looked yet. */
  isMountedByItself?: boolean;
}

export class AccountTable implements AccountSource {
  readonly #options: AccountTableOptions;
  #open: OpenTable | undefined;
  #isClosed = false;
  readonly #remembered: RememberedRows<readonly SqliteRowOfAccount[]>;

  constructor(options: AccountTableOptions) {
    this.#options = options;
    this.#remembered = new RememberedRows(options.file, options.rememberedRows ?? 0);
  }

  async find(name: LoginName, client: LoginClient): Promise<readonly AccountRow[]> {
    const address = `${name.user}@${name.domain}`;
    const known = this.#recall(address);
    if (known !== undefined) return unexpired(known);
    const found = await this.#read((open) => {
      const rows: SqliteRowOfAccount[] = [];
      const parameters = {
        ...name,
        address,
        peer: client.address,
        // As whole numbers: others would be REAL to SQLite.
        tls: client.isTls ? 1n : 0n,
        service: client.service,
        level: client.level === null ? null : BigInt(client.level),
      };
      for (const values of open.byName.rows(parameters)) {
        const row = open.readRow(values);
        if (row !== null) rows.push(row);
        if (rows.length > maxRows) break;
      }
      // That nobody has a name is remembered as well: both must take the same time.
      if (!isInWalMode(open) && open.isOwnTable) this.#remembered.add(address, rows);
      return rows;
    });
    return unexpired(found);
  }

  /** Without opening anything, as long as the file did not change. */
  #recall(address: string): readonly SqliteRowOfAccount[] | undefined {
    if (this.#isClosed || (this.#options.rememberedRows ?? 0) === 0) return undefined;
    const stats = statSync(this.#options.file, { bigint: true, throwIfNoEntry: false });
    if (stats === undefined) return undefined;
    this.#remembered.look(stats);
    return this.#remembered.find(address);
  }

  /** An application password only where none of the users' own may be picked. */
  async pick(position: bigint, accepts: (stored: string) => boolean): Promise<string | null> {
    const ownPassword = await this.#pickOf(0, position, accepts);
    return ownPassword ?? this.#pickOf(1, position, accepts);
  }

  /** @param kind which of `numbered` */
  async #pickOf(
    kind: number,
    position: bigint,
    accepts: (stored: string) => boolean,
  ): Promise<string | null> {
    const range = await this.#read(({ numbered }) => {
      const [first, last] = numbered[kind]?.range.first() ?? [];
      return typeof first === 'bigint' && typeof last === 'bigint' ? { first, last } : null;
    });
    if (range === null) return null;
    const { first, last } = range;
    const start = first + positionWithin(last - first, position);
    for (const [from, to] of [
      [start, last],
      [first, start - 1n],
    ] as const) {
      // A table of which no row is accepted is read in slices, and other sessions go on between
      // them.
      for (let next = from; next <= to;) {
        const slice = await this.#read((open) => pickFrom(open.numbered[kind], next, to, accepts));
        if (slice.found !== null) return slice.found;
        next = slice.next;
        await otherWork();
      }
    }
    return null;
  }

  /** What passdb put into the database; null in a database that passdb never wrote. */
  decoySecret(): Promise<Buffer | null> {
    return this.#read(({ secret }) => {
      const row = secret?.first();
      return row?.[0] instanceof Buffer && row[0].length >= 16 ? row[0] : null;
    });
  }

  leastDays(): Promise<number | null> {
    return this.#read(({ leastDays }) => {
      if (leastDays === null || leastDays === 'unknown') return leastDays === null ? null : 1;
      const days = leastDays.first()?.[0];
      return typeof days === 'number' ? days : null;
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#drop();
  }

  /** SQLite itself never waits here: it would hold up every session of the process. */
  async #read<T>(work: (table: OpenTable) => T): Promise<T> {
    const deadline = performance.now() + (this.#options.busyTimeoutMs ?? defaultBusyTimeoutMs);
    for (let pauseMs = 4; ; pauseMs = Math.min(2 * pauseMs, 64)) {
      if (this.#isClosed) throw new SourceUnavailable('the password database was closed', false);
      try {
        return work(this.#current());
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

  #current(): OpenTable {
    const { file, query } = this.#options;
    const { path, stats } = lookAtDatabaseFiles(file);
    this.#remembered.look(stats);
    const open = this.#open;
    const isSameFile = open?.path === path && open.device === stats.dev && open.inode === stats.ino;
    if (isSameFile && !hasNewTables(open)) return open;
    this.#drop();
    const database = openSqlite(path, { access: 'read', busyTimeoutMs: 0 });
    try {
      const statements = prepareStatements(database, file, query);
      this.#open = { ...statements, database, path, device: stats.dev, inode: stats.ino };
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

  #explain(error: unknown, code: string): SourceUnavailable {
    if (error instanceof SourceUnavailable) return error;
    const { file } = this.#options;
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof NotADatabaseFile) return new SourceUnavailable(message, true);
    if (code.startsWith('SQLITE_BUSY')) {
      return new SourceUnavailable(`${file} is locked by another program`, false);
    }
    if (code === 'SQLITE_READONLY_ROLLBACK') {
      return new SourceUnavailable(
        `${file} has a journal left by a crash; any passdb command run by its owner mends it`,
        false,
      );
    }
    if (/^SQLITE_(?:READONLY|CANTOPEN)/.test(code)) {
      return new SourceUnavailable(
        `${file} cannot be read by this user, or is in WAL mode in a directory that it cannot write`,
        false,
      );
    }
    if (code === 'SQLITE_NOTADB') return new SourceUnavailable(whatIsNoDatabase(file), true);
    // A query that does not compile, or has parameters of other names, comes without a code of the
    // system's.
    return new SourceUnavailable(`${file}: ${message}`, code === 'SQLITE_ERROR' || code === '');
  }
}

/**
 * Evenly spread over 0 to `size`. When that grows, only those positions change that fall into what
 * is new.
 */
function positionWithin(size: bigint, position: bigint): bigint {
  const bits = size.toString(2).length;
  const within = BigInt.asUintN(bits, position);
  return within <= size ? within : BigInt.asUintN(bits - 1, position);
}

function pickFrom(
  passwords: NumberedPasswords | undefined,
  from: bigint,
  to: bigint,
  accepts: (stored: string) => boolean,
): { readonly found: string | null; readonly next: bigint } {
  let count = 0;
  let next = to + 1n;
  const rows = (passwords?.slice.rows([from, to]) ?? []) as Iterable<[bigint, ...SqliteValue[]]>;
  for (const [id, value, expiresAt] of rows) {
    const text = asText(value);
    const isPast = typeof expiresAt === 'bigint' && Number(expiresAt) <= Date.now() / 1000;
    if (!isPast && accepts(text)) return { found: text, next };
    count += 1;
    if (count === sliceRows) next = id + 1n;
  }
  return { found: null, next };
}

/**
 * As of the last reading; asks nothing of the file.
 *
 * @throws SourceUnavailable where the log would not be seen
 */
function isInWalMode(open: OpenTable): boolean {
  if (pragma(open.database, 'journal_mode') !== 'wal') return false;
  if ((open.isMountedByItself ??= isMountedByItself(open.path))) {
    throw new SourceUnavailable(
      `${open.path} is in WAL mode and mounted by itself: mount its directory, where the log is`,
      true,
    );
  }
  return true;
}

/** passdb adds the table of application passwords to a database that has none at its next edit. */
function hasNewTables({ database, schemaVersion }: OpenTable): boolean {
  return schemaVersion !== null && pragma(database, 'schema_version') !== schemaVersion;
}

function unexpired(rows: readonly SqliteRowOfAccount[]): readonly AccountRow[] {
  if (rows.every(({ expiresAt }) => expiresAt === null)) return rows;
  const now = Date.now() / 1000;
  return rows.filter(({ expiresAt }) => expiresAt === null || expiresAt > now);
}

function asText(value: unknown): string {
  if (Buffer.isBuffer(value)) return value.toString('utf8');
  return typeof value === 'string' ? value : '';
}

function sqliteCode(error: unknown): string {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return code ?? '';
}
