// The columns of a query by their names: from what an SQL source gives to an account's row. The
// sources differ in how they write a number or a truth; what is meant is the same.

import { UnusableRow, type AccountRow } from './account-source.js';

const names = ['maildrop', 'home', 'networks', 'read_only', 'days', 'label'] as const;

/**
 * @param columns the names of a query's columns, in order; `password` is the password, or the first
 *   is
 * @returns what makes a row of the values in that order, and null where the password is NULL; it
 *   throws UnusableRow for values that cannot be understood
 */
export function rowReader(
  columns: readonly string[],
): (values: readonly unknown[]) => AccountRow | null {
  const lowerCase = columns.map((name) => name.toLowerCase());
  const passwordAt = Math.max(0, lowerCase.indexOf('password'));
  // A query whose first column is the password may call it as it likes, but no other's name.
  const [maildrop, home, networks, readOnly, days, label] = names.map((name) => {
    const at = lowerCase.indexOf(name);
    return at === passwordAt ? -1 : at;
  }) as [number, number, number, number, number, number];
  return (values) => {
    const password = values[passwordAt];
    if (password === null || password === undefined) return null;
    return {
      password: asText(password) ?? '',
      isActive: true,
      maildrop: asText(values[maildrop]),
      home: asText(values[home]),
      networks: asText(values[networks]),
      isReadOnly: isTrue(values[readOnly]),
      days: asDays(values[days]),
      label: asText(values[label]),
    };
  };
}

/** An empty text says as little as NULL. */
function asText(value: unknown): string | null {
  if (Buffer.isBuffer(value)) return value.toString('utf8') || null;
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  return typeof value === 'string' && value !== '' ? value : null;
}

function isTrue(value: unknown): boolean {
  const text = typeof value === 'boolean' ? String(value) : (asText(value) ?? '0').toLowerCase();
  if (['1', 'y', 'yes', 't', 'true'].includes(text)) return true;
  if (['0', 'n', 'no', 'f', 'false'].includes(text)) return false;
  throw new UnusableRow(`the column read_only is neither true nor false: "${text}"`);
}

function asDays(value: unknown): number | null {
  const text = asText(value);
  if (text === null) return null;
  if (/^[1-9][0-9]{0,5}$/.test(text)) return Number(text);
  throw new UnusableRow(`the column days is no number from 1 to 999999: "${text}"`);
}
