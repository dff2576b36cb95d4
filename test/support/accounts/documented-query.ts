// The query for application passwords only, as passdb-database(5) tells administrators.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

const page = new URL('../../../../doc/passdb-database.5', import.meta.url);

/** @param clock the seconds since 1970, as a server calls them */
export function appPasswordsOnly(clock: string): string {
  const text = readFileSync(page, 'utf8');
  assert(text.includes(`.Ql ${clock}`), `the page names ${clock}`);
  const [query = ''] = /^SELECT app_passwords\.[^]*?(?=\n\.Ed)/m.exec(text) ?? [];
  const parts = query.split("strftime('%s', 'now') + 0");
  assert.equal(parts.length, 2);
  return parts.join(clock);
}
