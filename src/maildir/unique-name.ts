// Names for messages that are delivered: "seconds.Mmicroseconds…", so that they sort by delivery.
// maildir(5).

import { hostname } from 'node:os';

/**
 * Hands out stamps, `1732184037.M000123`, each later than the one before even when the clock stands
 * or goes back.
 */
export class StampSource {
  readonly #now: () => number;
  #last = 0;

  /** @param now milliseconds since 1970, as Date.now gives them */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  next(): string {
    this.#last = Math.max(this.#last + 1, Math.floor(this.#now() * 1000));
    const seconds = Math.floor(this.#last / 1e6);
    return `${seconds}.M${String(this.#last % 1e6).padStart(6, '0')}`;
  }
}

/**
 * The host part of a base name: maildir(5) wants `/` as `\057` and `:` as `\072`; other characters
 * that could trouble a file name or a unique-id become `_`. At most 64 characters.
 */
export function hostPart(host: string = hostname()): string {
  const part = host
    .replace(/[^!-~]/g, '_')
    .replace(/\//g, '\\057')
    .replace(/:/g, '\\072')
    .slice(0, 64);
  return part === '' ? 'localhost' : part;
}

/** The base name without its flags: what precedes `:`. */
export function baseOf(fileName: string): string {
  const colon = fileName.indexOf(':');
  return colon === -1 ? fileName : fileName.slice(0, colon);
}
