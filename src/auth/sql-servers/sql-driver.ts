// What a driver of a database server gives: connections that answer one query at a time. Drivers
// know their protocol's errors; who waits, and which host is next, is the pool's.

import type { ServerHost } from './server-address.js';

export interface SqlQuery {
  /** A name for the prepared statement, another for another text; empty: used once. */
  readonly name: string;
  readonly text: string;
}

export type SqlValue = string | number | Buffer | null;

export interface SqlColumn {
  readonly name: string;
  /**
   * Which column of which table it is, as the driver's `sample` takes it; null for one that is
   * computed.
   */
  readonly origin: SqlOrigin | null;
}

/** A column of a table, in the server's own terms. */
export interface SqlOrigin {
  readonly table: string | number;
  readonly column: string | number;
}

export interface SqlResult {
  readonly columns: readonly SqlColumn[];
  /** As text where it is no Buffer: what types a server has differs. */
  readonly rows: readonly (readonly unknown[])[];
  /** How many rows an edit changed. */
  readonly changes: number;
}

export interface SqlConnection {
  readonly host: ServerHost;
  /** Whether nothing was heard of its end. */
  readonly isUsable: boolean;
  /** @throws SqlFailure */
  query(query: SqlQuery, values: readonly SqlValue[]): Promise<SqlResult>;
  /** A statement that servers prepare none of, such as BEGIN. @throws SqlFailure */
  command(text: string): Promise<void>;
  /** Ends it as the protocol wants. */
  close(): void;
  /** Ends it at once, whatever the server is doing. */
  destroy(): void;
}

export interface SqlDriver {
  /** @param withinMs it is no use later */
  connect(host: ServerHost, withinMs: number): Promise<SqlConnection>;
  /** Some values of a column, at most `limit`. @throws SqlFailure */
  sample(connection: SqlConnection, origin: SqlOrigin, limit: number): Promise<readonly unknown[]>;
  /** Whether there is a table or view that is found under this name. @throws SqlFailure */
  hasTable(connection: SqlConnection, name: string): Promise<boolean>;
}

export interface DriverSettings {
  /** After which the server itself gives up a statement. */
  readonly statementMs: number;
  /** `read`: the server refuses statements that write. */
  readonly access: 'read' | 'edit';
}

export interface FailureKind {
  /** Another host, or another connection, may do better. */
  readonly isOfHost: boolean;
  /** Only a change of configuration mends it. */
  readonly isLasting: boolean;
  /** The marker, counted from 1, whose type the server cannot find out. */
  readonly untypedMarker?: number | undefined;
}

/** A query or connection that failed. */
export class SqlFailure extends Error {
  readonly isOfHost: boolean;
  readonly isLasting: boolean;
  readonly untypedMarker: number | undefined;

  constructor(message: string, kind: FailureKind) {
    super(message);
    this.isOfHost = kind.isOfHost;
    this.isLasting = kind.isLasting;
    this.untypedMarker = kind.untypedMarker;
  }
}

/** A host that was not ready for queries in time, whatever it did until then. */
export function noConnectionWithin(ms: number): SqlFailure {
  const seconds = (ms / 1000).toFixed(1);
  return new SqlFailure(`no connection within ${seconds} s`, { isOfHost: true, isLasting: false });
}
