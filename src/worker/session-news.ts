// What a session tells tcpsrun as it happens, so that failed logins are counted for each network
// and only sessions that have not logged in give way to others. The words are those of tcpsrun(8).

export type SessionNews =
  /** The client has logged in; as whom, where that is told. */
  | { readonly what: 'login'; readonly user?: string | undefined }
  /**
   * A login failed. `delayMs`: by so much the next verdict for the client's network comes later; 0
   * or more.
   */
  | { readonly what: 'failed-login'; readonly delayMs: number };

/**
 * What a program started for one connection tells. `ready`: it has been started, and waits for its
 * client.
 */
export type ProgramNews = SessionNews | { readonly what: 'ready' };

/** One line, without its line feed. */
export function formatNews(news: ProgramNews): string {
  if (news.what === 'failed-login') return `${news.what} ${Math.ceil(news.delayMs)}`;
  if (news.what === 'login' && news.user !== undefined) {
    return `${news.what} ${encodeURIComponent(news.user.replace(/\p{Surrogate}/gu, '?'))}`;
  }
  return news.what;
}

/** Reads a line. A failed login without a number delays nothing. @returns null for anything else */
export function tryNews(line: string): ProgramNews | null {
  if (line === 'login' || line === 'ready') return { what: line };
  const [, name] = /^login (\S+)$/.exec(line) ?? [];
  if (name !== undefined) return { what: 'login', ...decodedUser(name) };
  const failed = /^failed-login(?: ([0-9]{1,9}))?$/.exec(line);
  return failed === null ? null : { what: 'failed-login', delayMs: Number(failed[1] ?? 0) };
}

function decodedUser(name: string): { readonly user?: string } {
  try {
    return { user: decodeURIComponent(name) };
  } catch {
    return {};
  }
}
