// Where passdb edits: a SQLite file, or a database server. Dovecot and checkpassword programs take
// no edits.

import { UsageError } from '../../system/failures/failures.js';
import type { AccountStore, AppPasswordStore } from '../accounts/account-store.js';
import { parseSourceName } from '../accounts/source-name.js';
import { openEditedServer } from '../open-server-accounts.js';
import { ServerAccountEditor } from '../sql-servers/server-account-editor.js';
import { ServerAppPasswordEditor } from '../sql-servers/server-app-password-editor.js';
import { AccountEditor } from '../sqlite/account-editor.js';
import { AppPasswordEditor } from '../sqlite/app-password-editor.js';

export interface StoreOptions {
  /** As `--passdb` names it. */
  readonly source: string;
  /** Makes a SQLite file when there is none. */
  readonly isCreated?: boolean;
}

/** @throws UsageError for a source that takes no edits, ConfigurationError, TemporaryError */
export function openAccountStore({ source, isCreated }: StoreOptions): AccountStore {
  const { kind, place } = parseSourceName(source);
  switch (kind) {
    case 'sqlite':
      return new AccountEditor({ file: place, ...(isCreated === undefined ? {} : { isCreated }) });
    case 'postgresql':
    case 'mysql':
      return new ServerAccountEditor(openEditedServer(place));
    case 'dovecot':
    case 'checkpassword':
      return refuse(kind);
  }
}

/** @throws as openAccountStore */
export function openAppPasswordStore({ source }: StoreOptions): AppPasswordStore {
  const { kind, place } = parseSourceName(source);
  switch (kind) {
    case 'sqlite':
      return new AppPasswordEditor({ file: place });
    case 'postgresql':
    case 'mysql':
      return new ServerAppPasswordEditor(openEditedServer(place));
    case 'dovecot':
    case 'checkpassword':
      return refuse(kind);
  }
}

/** Closes it whatever the work comes to. */
export async function using<Store extends { close(): void }, T>(
  store: Store,
  work: (store: Store) => Promise<T> | T,
): Promise<T> {
  try {
    return await work(store);
  } finally {
    store.close();
  }
}

function refuse(kind: string): never {
  throw new UsageError(`passdb edits no ${kind}: source; it can only check passwords there`);
}
