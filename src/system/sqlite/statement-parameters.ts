// The parameters of a statement in SQLite's SQL. sqlite.org/lang_expr.html.

/** Strings and quoted names, comments, names, then parameters: what is in the former is none. */
const tokens = new RegExp(
  [
    ...[/'(?:[^']|'')*'/, /"(?:[^"]|"")*"/, /`(?:[^`]|``)*`/, /\[[^\]]*\]/],
    ...[/--[^\n]*/, /\/\*[\s\S]*?(?:\*\/|$)/],
    ...[/[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/, /(\?\d*|[:@$#][\w$\u0080-\uffff]+)/],
  ]
    .map(({ source }) => source)
    .join('|'),
  'g',
);

/** @returns each as it is written, such as `:name`, `?` or `?2`, in order and with repetitions */
export function parametersIn(sql: string): readonly string[] {
  return [...sql.matchAll(tokens)].flatMap(([, parameter]) => parameter ?? []);
}
