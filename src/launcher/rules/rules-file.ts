// A rules file that may be edited while it is used: read again when it changed, the last good rules kept when it is broken.

import { statSync } from 'node:fs';
import {
  readTextFile,
  signatureOf,
  TextFileError,
  type TextFile,
} from '../../system/files/text-file.js';
import { AccessRules, AccessRulesError } from './access-rules.js';

/** Some 500,000 rules; bounds what a wrong path costs. */
const maxFileBytes = 32 << 20;

/**
 * Reads a rules file's text.
 *
 * @throws AccessRulesError when it cannot be read, or is no regular UTF-8 text of at most 32 MiB
 */
export function readRulesText(file: string): TextFile {
  try {
    return readTextFile(file, maxFileBytes);
  } catch (error) {
    if (error instanceof TextFileError) throw new AccessRulesError(`${file}: ${error.message}`);
    throw error;
  }
}

/** Reads and parses a rules file. @throws AccessRulesError when it cannot be read or has a wrong line */
export function readRulesFile(file: string): AccessRules {
  return AccessRules.parse(readRulesText(file).text, file);
}

export class RulesFile {
  readonly #file: string;
  readonly #onReload: (rules: AccessRules) => void;
  readonly #onProblem: (problem: string) => void;
  #rules: AccessRules;
  /** Of the version last read, good or broken. */
  #signature: string;
  #problem = '';

  /**
   * Reads the file for the first time.
   *
   * @param onReload told of new rules
   * @param onProblem told, once for each change, why the last good rules stay
   * @throws AccessRulesError
   */
  constructor(
    file: string,
    onReload: (rules: AccessRules) => void,
    onProblem: (problem: string) => void,
  ) {
    this.#file = file;
    this.#onReload = onReload;
    this.#onProblem = onProblem;
    const { text, signature } = readRulesText(file);
    this.#rules = AccessRules.parse(text, file);
    this.#signature = signature;
  }

  /** The rules of the file as it is now, or the last good ones. Costs a stat(2) when nothing changed. Never throws. */
  current(): AccessRules {
    if (this.#presentSignature() !== this.#signature) this.reread();
    return this.#rules;
  }

  /** Reads the file whether it changed or not. Never throws. */
  reread(): void {
    // Forgotten until the file was read: what cannot be read now is tried again the next time.
    this.#signature = '';
    try {
      const { text, signature } = readRulesText(this.#file);
      this.#signature = signature;
      this.#rules = AccessRules.parse(text, this.#file);
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      if (problem !== this.#problem) this.#onProblem(problem);
      this.#problem = problem;
      return;
    }
    this.#problem = '';
    this.#onReload(this.#rules);
  }

  #presentSignature(): string {
    try {
      return signatureOf(statSync(this.#file, { bigint: true }));
    } catch (error) {
      return (error as NodeJS.ErrnoException).code ?? 'unknown error';
    }
  }
}
