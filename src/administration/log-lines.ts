// Lines of pop3d's log, as members, whichever form they were written in: logfmt or JSON, with what
// the journal, syslog or `--log-time` put before them. Pure.

export interface LogLine {
  readonly event: string;
  readonly members: ReadonlyMap<string, string>;
  /** When, as the line or what carried it says; empty where neither does. */
  readonly time: string;
}

const value = '(?:"(?:[^"\\\\]|\\\\.)*"|[^ "]*)';
const lineForm = new RegExp(`^(.*?)\\bpop3d(?:\\[[0-9]+\\])?: ([a-z-]+)((?: [a-z]+=${value})*)$`);
const memberForm = new RegExp(` ([a-z]+)=(${value})`, 'g');

/** @returns null for what pop3d did not write */
export function tryLogLine(text: string): LogLine | null {
  const json = text.indexOf('{"program":"pop3d"');
  if (json !== -1) return tryJson(text.slice(json), text.slice(0, json));
  const [, before = '', event, rest = ''] = lineForm.exec(text) ?? [];
  if (event === undefined) return null;
  const members = new Map<string, string>();
  for (const [, name = '', written = ''] of rest.matchAll(memberForm)) {
    members.set(name, written.startsWith('"') ? unquoted(written) : written);
  }
  return { event, members, time: before.trim() };
}

function tryJson(text: string, before: string): LogLine | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return null;
  }
  const members = new Map(
    Object.entries(parsed as Record<string, unknown>).map(([name, member]) => [
      name,
      String(member),
    ]),
  );
  const time = members.get('time') ?? before.trim();
  return { event: members.get('event') ?? '', members, time };
}

/** The escapes are JSON's. */
function unquoted(written: string): string {
  try {
    return String(JSON.parse(written));
  } catch {
    return written;
  }
}
