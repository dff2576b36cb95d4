// Log lines as text: logfmt and JSON. Pure.

export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** Longest value, in characters as written, escapes included. */
const maxValueLength = 512;

/**
 * With its line feed a line stays below PIPE_BUF (4096), so that lines of several processes never
 * mix.
 */
const maxLineLength = 4000;

/**
 * `program: event key=value …` and a line feed; values with other than plain characters are quoted,
 * control characters escaped. A long value is clipped; a field for which the line has no room is
 * left out: what is there can be parsed.
 */
export function formatLogfmtLine(program: string, event: string, fields: LogFields): string {
  let line = `${program}: ${event}`;
  for (const key in fields) {
    const value = fields[key];
    if (value === undefined) continue;
    const field = ` ${key}=${formatValue(value)}`;
    if (line.length + field.length <= maxLineLength) line += field;
  }
  return `${line}\n`;
}

/** The same keys as one JSON object in ASCII, clipped in the same way. */
export function formatJsonLine(program: string, event: string, fields: LogFields): string {
  let members = `"program":${toJson(program)},"event":${toJson(event)}`;
  for (const key in fields) {
    const value = fields[key];
    if (value === undefined) continue;
    const member = `,${toJson(key)}:${toJson(value)}`;
    if (members.length + member.length <= maxLineLength) members += member;
  }
  return `{${members}}\n`;
}

function formatValue(value: string | number | boolean): string {
  if (typeof value !== 'string') return String(value);
  if (value.length <= maxValueLength && /^[!#-<>-[\]-~]+$/.test(value)) return value;
  return `"${escapeClipped(value)}"`;
}

function toJson(value: string | number | boolean): string {
  if (typeof value !== 'string') return JSON.stringify(value);
  return `"${escapeClipped(value)}"`;
}

/** Escapes character by character until the limit, so that no escape sequence is cut in two. */
function escapeClipped(text: string): string {
  let escaped = '';
  for (const character of text) {
    const next = /[ !#-[\]-~]/.test(character) ? character : escapeCharacter(character);
    if (escaped.length + next.length > maxValueLength) return `${escaped}...`;
    escaped += next;
  }
  return escaped;
}

const namedEscapes: ReadonlyMap<string, string> = new Map([
  ['"', '\\"'],
  ['\\', '\\\\'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
]);

/** A UTF-16 code unit each: that is what \u has four digits for. */
function escapeCharacter(character: string): string {
  const named = namedEscapes.get(character);
  if (named !== undefined) return named;
  return [...Array(character.length).keys()]
    .map((index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`)
    .join('');
}
