// What a session tells tcpsrun as it happens, so that failed logins are counted for each network
// and only sessions that have not logged in give way to others. The words are those of tcpsrun(8).

/** `login`: the client has logged in. `failed-login`: name or password were refused. */
export type SessionNews = 'login' | 'failed-login';

/** What a program with one session tells. `ready`: it has started, and waits for its client. */
export type ProgramNews = SessionNews | 'ready';

/** @returns null for anything else */
export function tryNews(word: string): ProgramNews | null {
  return word === 'login' || word === 'failed-login' || word === 'ready' ? word : null;
}
