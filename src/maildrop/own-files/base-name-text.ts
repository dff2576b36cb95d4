// Base names in the text files that pop3d keeps in a Maildir, one a line: names are bytes, and may
// hold line feeds.

/** `%` becomes `%25`, a line feed `%0A`; all other bytes stay as they are. */
export function escapeBaseName(baseName: string): string {
  if (!baseName.includes('\n') && !baseName.includes('%')) return baseName;
  return baseName.replace(/%/g, '%25').replace(/\n/g, '%0A');
}

export function unescapeBaseName(text: string): string {
  return text.includes('%') ? text.replace(/%0A/g, '\n').replace(/%25/g, '%') : text;
}
