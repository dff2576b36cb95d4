// A rules file in use: read again when it changed; while it is wrong the last good rules stay.

import { FileWatch } from '../../system/files/file-stamp.js';
import { readTextFile, TextFileError } from '../../system/files/text-file.js';
import type { Log } from '../../system/log/log.js';
import { AccessRules, AccessRulesError } from './access-rules.js';

/** Some 500,000 rules; bounds what a wrong path costs. */
const maxFileBytes = 32 << 20;

class UnreadableRules extends AccessRulesError {}

/**
 * Reads a rules file's text.
 *
 * @throws AccessRulesError when it cannot be read, or is no regular UTF-8 text of at most 32 MiB
 */
export function readRulesText(file: string): string {
  try {
    return readTextFile(file, maxFileBytes);
  } catch (error) {
    if (error instanceof TextFileError) throw new UnreadableRules(`${file}: ${error.message}`);
    throw error;
  }
}

/**
 * Reads and parses a rules file.
 *
 * @throws AccessRulesError when it cannot be read or has a wrong line
 */
export function readRulesFile(file: string): AccessRules {
  return AccessRules.parse(readRulesText(file), file);
}

export class RulesFile {
  readonly #file: string;
  readonly #watch: FileWatch;
  readonly #log: Log;
  readonly #onReload: () => void;
  #rules: AccessRules;
  /** Of the version last read, good or broken; null when it could not be read. */
  #text: string | null;
  #problem = '';

  /**
   * Reads the file for the first time.
   *
   * @param log gets a line when new rules hold and, once for each change, why the last good ones
   *   stay
   * @param onReload called after new rules were read
   * @throws AccessRulesError
   */
  constructor(file: string, log: Log, onReload: () => void) {
    this.#file = file;
    this.#watch = new FileWatch(file);
    this.#log = log;
    this.#onReload = onReload;
    this.#mayHaveChanged();
    this.#text = readRulesText(file);
    this.#rules = AccessRules.parse(this.#text, file);
  }

  /** The rules of the file as it is now, or the last good ones. Costs a stat(2). Never throws. */
  current(): AccessRules {
    if (this.#mayHaveChanged()) this.#read((text) => text !== this.#text);
    return this.#rules;
  }

  /** Reads the file whether it changed or not. Never throws. */
  reread(): void {
    this.#mayHaveChanged();
    this.#read(() => true);
  }

  #read(isNew: (text: string) => boolean): void {
    try {
      const text = readRulesText(this.#file);
      if (!isNew(text)) return;
      this.#text = text;
      this.#rules = AccessRules.parse(text, this.#file);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (error instanceof UnreadableRules) this.#text = null;
      if (why !== this.#problem) this.#log.write('warning', { why, kept: 'the last good rules' });
      this.#problem = why;
      return;
    }
    this.#problem = '';
    this.#log.write('rules', { file: this.#file });
    this.warnIfEmpty();
    this.#onReload();
  }

  /** @throws AccessRulesError when the file cannot be read now, or has a wrong line */
  requireReadable(): void {
    AccessRules.parse(readRulesText(this.#file), this.#file);
  }

  /** A full disk or an editor at work leaves no rules more often than somebody denies everybody. */
  warnIfEmpty(): void {
    if (!this.#rules.isEmpty) return;
    this.#log.write('warning', { why: `${this.#file}: has no rules: everybody is denied` });
  }

  #mayHaveChanged(): boolean {
    try {
      // A file that could not be read is tried again, also when its stamp is unchanged.
      return this.#watch.mayHaveChanged() || (this.#text === null && !this.#watch.isAbsent);
    } catch {
      return true;
    }
  }
}
