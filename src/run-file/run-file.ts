// The text of a run file: run-file(5). Pure; evaluate-run-file.ts says what it comes to.

import { RunFileError } from './run-file-error.js';
import { parseValue, ValueError, type ValueTemplate } from './value-template.js';

/** One line that says something. `line` counts from 1. */
export type Directive = { readonly line: number } & (
  | { readonly keyword: 'program' | 'argument' | 'chdir'; readonly value: ValueTemplate }
  | { readonly keyword: 'setenv'; readonly name: string; readonly value: ValueTemplate }
  | { readonly keyword: 'unsetenv'; readonly name: string }
  | { readonly keyword: 'clearenv' }
);

export interface RunFile {
  /** As it was given; for error messages. */
  readonly file: string;
  /** In the order of the lines. */
  readonly directives: readonly Directive[];
}

/** How many words each directive has after its keyword. */
const wordCounts = {
  program: 1,
  argument: 1,
  chdir: 1,
  setenv: 2,
  unsetenv: 1,
  clearenv: 0,
} as const;

type Keyword = keyof typeof wordCounts;

/**
 * Parses the text of a run file. Lines end in LF or CRLF.
 *
 * @param file its name, for error messages
 * @throws RunFileError for the first line that is wrong; also when no line names a program, or two
 *   do
 */
export function parseRunFile(text: string, file: string): RunFile {
  const directives: Directive[] = [];
  let programLine: number | undefined;
  for (const [index, lineText] of text.split('\n').entries()) {
    const line = index + 1;
    const trimmed = lineText.replace(/^[ \t]+|[ \t]*\r?$/g, '');
    if (trimmed === '' || trimmed.startsWith(':')) continue;
    const directive = parseDirective(trimmed, line, file);
    if (directive.keyword === 'program') {
      if (programLine !== undefined) {
        throw new RunFileError(file, line, `program: given already on line ${programLine}`);
      }
      programLine = line;
    }
    directives.push(directive);
  }
  if (programLine === undefined) throw new RunFileError(file, undefined, 'names no program');
  return { file, directives };
}

function parseDirective(text: string, line: number, file: string): Directive {
  const [keyword = ''] = text.split(/[ \t]/, 1);
  if (!isKeyword(keyword)) throw new RunFileError(file, line, `unknown directive "${keyword}"`);
  try {
    const words = splitWords(text.slice(keyword.length));
    if (words.length < wordCounts[keyword]) {
      throw new ValueError(keyword === 'setenv' ? 'needs a name and a value' : 'needs a value');
    }
    const surplus = words[wordCounts[keyword]];
    if (surplus !== undefined) {
      throw new ValueError(
        `unexpected "${surplus}" (a value with spaces stands in quotation marks)`,
      );
    }
    const [first = '', second = ''] = words;
    switch (keyword) {
      case 'program':
      case 'argument':
      case 'chdir':
        return { line, keyword, value: parseValue(first) };
      case 'setenv':
        return { line, keyword, name: checkName(first), value: parseValue(second) };
      case 'unsetenv':
        return { line, keyword, name: checkName(first) };
      case 'clearenv':
        return { line, keyword };
    }
  } catch (error) {
    if (error instanceof ValueError)
      throw new RunFileError(file, line, `${keyword}: ${error.message}`);
    throw error;
  }
}

function isKeyword(word: string): word is Keyword {
  return Object.hasOwn(wordCounts, word);
}

/** Splits at blanks outside quotation marks, in which only `\"` is special: a quotation mark. */
function splitWords(text: string): string[] {
  const word =
    /[ \t]*(?:"(?<quoted>(?:\\"|[^"\\]|\\(?!"))*)"(?=[ \t]|$)|(?<plain>[^ \t"]+)(?=[ \t]|$))/y;
  const words: string[] = [];
  const end = text.length;
  while (word.lastIndex < end) {
    const match = word.exec(text);
    if (match === null) throw new ValueError('a quotation mark is out of place or not closed');
    words.push(match.groups?.['plain'] ?? (match.groups?.['quoted'] ?? '').replaceAll('\\"', '"'));
  }
  return words;
}

function checkName(name: string): string {
  if (/^[^=%]+$/.test(name)) return name;
  throw new ValueError(`"${name}" is no name of an environment variable`);
}
