// Running sessions as text, one a line.

import type { PresentSession } from '../launcher/telling/control-protocol.js';

const heading = ['ID', 'PEER', 'PORT', 'ON', 'LEVEL', 'PID', 'SECONDS', 'USER'];

/** Columns of their widest values; `-` is what is not known. The last one may have any text. */
export function formatSessions(sessions: readonly PresentSession[]): string {
  const rows = sessions.map(({ id, peer, port, on, level, pid, seconds, user }) => [
    ...[id, peer, port, on ?? '-', level, pid, seconds].map(String),
    visible(user ?? '-'),
  ]);
  const table = [heading, ...rows];
  const widths = heading.map((_, column) =>
    Math.max(...table.map((row) => row[column]?.length ?? 0)),
  );
  return table
    .map(
      (row) =>
        `${row
          .map((cell, at) => cell.padEnd(widths[at] ?? 0))
          .join(' ')
          .trimEnd()}\n`,
    )
    .join('');
}

/** A name comes from a client's login: it stays on its line, and says nothing to a terminal. */
function visible(text: string): string {
  return text.replace(/\p{C}/gu, '?');
}
