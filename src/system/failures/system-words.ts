// What the system's errors say to people.

import { getSystemErrorMap } from 'node:util';

/** What Node has no words for: codes of its resolver, and of Linux in Node 20. */
const words: Readonly<Record<string, string>> = {
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'no name server answers',
  ETIMEOUT: 'no name server answers',
  ESERVFAIL: 'the name server fails',
  EDQUOT: 'disk quota exceeded',
};

/**
 * The words for an error alone. Its message has a code, the name of a system call and a path
 * besides, which may be a temporary file's: whoever tells the words names the file that people
 * know.
 *
 * @returns the message of an error that is not the system's
 */
export function systemWords(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // One error for each address that was tried.
  if (error instanceof AggregateError) {
    return [...new Set(error.errors.map(systemWords))].join('; ');
  }
  const { code = '', errno } = error as NodeJS.ErrnoException;
  return words[code] ?? getSystemErrorMap().get(errno ?? 0)?.[1] ?? error.message;
}
