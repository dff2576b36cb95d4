// `:user` and its like in an administrator's query, rewritten as the markers of PostgreSQL ($1) or
// MySQL (?). Looks at the text as the server's own lexer does, as far as that tells what is quoted:
// quotes, comments, casts (`::`) and assignments (`:=`) stay as they are.

import { SourceUnavailable } from '../accounts/account-source.js';

/** How the two servers' texts differ. */
export type Dialect = 'postgresql' | 'mysql';

/** All of them are optional in a query. */
export const parameterNames = [
  'user',
  'domain',
  'address',
  'peer',
  'tls',
  'service',
  'level',
] as const;

export type ParameterName = (typeof parameterNames)[number];

export interface BoundQuery {
  readonly text: string;
  /** Whose value each marker gets, in order. */
  readonly parameters: readonly ParameterName[];
}

/** What is passed over as one piece, by dialect. PostgreSQL's nested comments are counted apart. */
const quoted: Readonly<Record<Dialect, RegExp>> = {
  postgresql: new RegExp(
    [
      /[eE]'(?:[^'\\]|\\.|'')*'/, // PostgreSQL 4.1.2.2: backslashes escape in E'…' only.
      /'(?:[^']|'')*'/,
      /"(?:[^"]|"")*"/,
      /(?<![\w$])(?<tag>\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$).*?\k<tag>/,
      /--[^\n]*/,
    ]
      .map(({ source }) => source)
      .join('|'),
    'sy',
  ),
  mysql: new RegExp(
    [
      /'(?:[^'\\]|\\.|'')*'/,
      /"(?:[^"\\]|\\.|"")*"/,
      /`(?:[^`]|``)*`/,
      /#[^\n]*/,
      /--(?=\s|$)[^\n]*/, // MySQL wants a blank after the two dashes.
      /\/\*.*?\*\//,
    ]
      .map(({ source }) => source)
      .join('|'),
    'sy',
  ),
};

/** A name, a number or what `::` and `:=` consist of: a colon in it begins no parameter. */
const plain = /[\p{L}\p{N}_$]+(?::(?=[\p{L}_]))?|::|:=|\](?::)?|./suy;
const parameter = /:(?<name>[\p{L}_][\p{L}\p{N}_]*)/uy;

/**
 * @param texts markers, counted from 1, that are cast to text: PostgreSQL finds out the type of a
 *   marker from where it stands, but not of `:peer IS NULL`
 * @throws SourceUnavailable, lasting, for a parameter of another name, a marker of the server's
 *   own, or a quote without its end
 */
export function bindParameters(
  sql: string,
  dialect: Dialect,
  texts: ReadonlySet<number> = new Set(),
): BoundQuery {
  const parameters: ParameterName[] = [];
  let text = '';
  for (let at = 0; at < sql.length;) {
    const found = match(parameter, sql, at);
    const name = found?.groups?.['name'];
    if (found !== null && name !== undefined) {
      parameters.push(knownName(name));
      const number = parameters.length;
      text += dialect === 'mysql' ? '?' : `$${number}${texts.has(number) ? '::text' : ''}`;
      at += found[0].length;
      continue;
    }
    const piece = pieceAt(sql, at, dialect);
    refuseMarker(piece, dialect);
    text += piece;
    at += piece.length;
  }
  return { text, parameters };
}

function pieceAt(sql: string, at: number, dialect: Dialect): string {
  const whole = match(quoted[dialect], sql, at)?.[0];
  if (whole !== undefined) return whole;
  if (sql.startsWith('/*', at)) return commentAt(sql, at);
  const rest = match(plain, sql, at)?.[0] ?? sql.slice(at);
  if (rest === "'" || rest === '"' || rest === '`') {
    throw new SourceUnavailable(`the passdb query has a ${rest} without its end`, true);
  }
  return rest;
}

/** PostgreSQL's comments nest. */
function commentAt(sql: string, at: number): string {
  let depth = 0;
  for (const { 0: mark, index } of sql.slice(at).matchAll(/\/\*|\*\//g)) {
    depth += mark === '/*' ? 1 : -1;
    if (depth === 0) return sql.slice(at, at + index + 2);
  }
  throw new SourceUnavailable('the passdb query has a comment without its end', true);
}

function refuseMarker(piece: string, dialect: Dialect): void {
  const isMarker = dialect === 'mysql' ? piece === '?' : /^\$\d+$/.test(piece);
  if (!isMarker) return;
  throw new SourceUnavailable(
    `the passdb query has ${piece} in it: parameters are written :user, :domain and so on`,
    true,
  );
}

function knownName(name: string): ParameterName {
  const known = parameterNames.find((candidate) => candidate === name);
  if (known !== undefined) return known;
  const names = parameterNames.map((candidate) => `:${candidate}`).join(', ');
  throw new SourceUnavailable(`the passdb query has :${name} in it; there are ${names}`, true);
}

function match(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}
