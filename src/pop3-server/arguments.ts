// Readers of command arguments: typed values, or the -ERR that says what is wrong.

import { splitWords } from '../wire/command-line.js';
import { parseLineCount, parseMessageNumber, type MessageNumber } from '../wire/message-number.js';
import { error, type ErrorOutcome } from './outcome.js';

/** The values, or why there are none. */
export type Parsed<T> = { readonly values: T } | { readonly refusal: ErrorOutcome };

export type ArgumentParser<T> = (argument: string | null) => Parsed<T>;

export const noArguments: ArgumentParser<null> = (argument) =>
  splitWords(argument).length === 0 ? { values: null } : refuse('no-arguments');

export const oneMessageNumber: ArgumentParser<MessageNumber> = (argument) => {
  const [word, ...rest] = splitWords(argument);
  if (word === undefined) return refuse('needs-message-number');
  if (rest.length > 0) return refuse('too-many-arguments');
  const number = parseMessageNumber(word);
  return number === null ? refuse('bad-message-number') : { values: number };
};

export const optionalMessageNumber: ArgumentParser<MessageNumber | null> = (argument) =>
  splitWords(argument).length === 0 ? { values: null } : oneMessageNumber(argument);

export interface TopArguments {
  readonly number: MessageNumber;
  readonly bodyLines: number;
}

/** Deviation: `TOP n` is taken as `TOP n 0`, because people type it; RFC 1939 §7 requires both. */
export const topArguments: ArgumentParser<TopArguments> = (argument) => {
  const [first, second = '0', ...rest] = splitWords(argument);
  if (first === undefined) return refuse('needs-message-number');
  if (rest.length > 0) return refuse('too-many-arguments');
  const number = parseMessageNumber(first);
  if (number === null) return refuse('bad-message-number');
  const bodyLines = parseLineCount(second);
  return bodyLines === null ? refuse('bad-line-count') : { values: { number, bodyLines } };
};

/** A login name: all of the argument but the spaces around it. */
export const userName: ArgumentParser<string> = (argument) => {
  const name = (argument ?? '').replace(/^ +| +$/g, '');
  return name === '' ? refuse('needs-name') : { values: name };
};

/** RFC 1939 §7 (PASS): "may treat spaces in the argument as part of the password": every octet after the first space is. */
export const password: ArgumentParser<Buffer> = (argument) =>
  argument === null || argument === ''
    ? refuse('needs-password')
    : { values: Buffer.from(argument, 'latin1') };

function refuse(text: string): { readonly refusal: ErrorOutcome } {
  return { refusal: error(text) };
}
