// What a session tells tcpsrun as it happens, so that failed logins are counted for each network
// and only sessions that have not logged in give way to others. The words are those of tcpsrun(8).

export type SessionNews =
  /** The client has logged in. */
  | { readonly what: 'login' }
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
  return news.what === 'failed-login' ? `${news.what} ${Math.ceil(news.delayMs)}` : news.what;
}

/** Reads a line. A failed login without a number delays nothing. @returns null for anything else */
export function tryNews(line: string): ProgramNews | null {
  if (line === 'login' || line === 'ready') return { what: line };
  const failed = /^failed-login(?: ([0-9]{1,9}))?$/.exec(line);
  return failed === null ? null : { what: 'failed-login', delayMs: Number(failed[1] ?? 0) };
}
