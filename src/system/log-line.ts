// Log lines as text: logfmt and JSON. Pure.

export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** Longest value, in characters; with the field names a line stays below PIPE_BUF, so that lines of several processes never mix. */
const maxValueLength = 512;
const maxLineLength = 4000;

/** `program: event key=value …` and a line feed; values with other than plain characters are quoted, control characters escaped. */
export function formatLogfmtLine(program: string, event: string, fields: LogFields): string {
  let line = `${program}: ${event}`;
  for (const [key, value] of Object.entries(fields)) {
    if (value !== undefined) line += ` ${key}=${formatValue(value)}`;
  }
  return `${clip(line, maxLineLength)}\n`;
}

/** The same keys as one JSON object. Characters that JSON does not need are left out of the line by clipping values. */
export function formatJsonLine(program: string, event: string, fields: LogFields): string {
  const clipped = Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [
      key,
      typeof value === 'string' ? clip(value, maxValueLength) : value,
    ]),
  );
  return `${escapeNonAscii(JSON.stringify({ program, event, ...clipped }))}\n`;
}

function formatValue(value: string | number | boolean): string {
  if (typeof value !== 'string') return String(value);
  const text = clip(value, maxValueLength);
  if (/^[!#-<>-[\]-~]+$/.test(text)) return text;
  return `"${text.replace(/["\\]/g, '\\$&').replace(/[^ -~]/gu, escapeCharacter)}"`;
}

function escapeCharacter(character: string): string {
  const named = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }[character];
  if (named !== undefined) return named;
  return [...Array(character.length).keys()]
    .map((index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`)
    .join('');
}

function escapeNonAscii(json: string): string {
  return json.replace(/[\u007f-\uffff]/g, escapeCharacter);
}

function clip(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length)}...`;
}
