// Readers of command arguments: typed values, or the -ERR that says what is wrong.

import { tryBase64 } from '../../wire/base64.js';
import { splitWords } from '../../wire/command-line.js';
import { maxMessageNumber } from '../../wire/limits.js';
import {
  parseLineCount,
  parseMessageNumber,
  type MessageNumber,
} from '../../wire/message-number.js';
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
  return number === null ? refuseNumber('bad-message-number') : { values: number };
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
  if (number === null) return refuseNumber('bad-message-number');
  const bodyLines = parseLineCount(second);
  return bodyLines === null ? refuseNumber('bad-line-count') : { values: { number, bodyLines } };
};

/** A login name: all of the argument but the spaces around it. */
export const userName: ArgumentParser<string> = (argument) => {
  const name = (argument ?? '').replace(/^ +| +$/g, '');
  return name === '' ? refuse('needs-name') : { values: name };
};

/**
 * RFC 1939 §7 (PASS): "may treat spaces in the argument as part of the password": every octet after
 * the first space belongs to the password. With nothing after the space the password is empty, and
 * the command is a failed login. Without the space it is a syntax error, and no login.
 */
export const password: ArgumentParser<Buffer> = (argument) =>
  argument === null ? refuse('needs-password') : { values: Buffer.from(argument, 'latin1') };

export interface AuthArguments {
  /** Upper-cased; null to list the mechanisms. */
  readonly mechanism: string | null;
  /** Null when there is none; `=` is an empty one. RFC 5034 §4. */
  readonly initialResponse: Buffer | null;
}

export const authArguments: ArgumentParser<AuthArguments> = (argument) => {
  const [mechanism, initial, ...rest] = splitWords(argument);
  if (mechanism === undefined) return { values: { mechanism: null, initialResponse: null } };
  if (rest.length > 0) return refuse('too-many-arguments');
  const initialResponse = initial === undefined ? null : tryBase64(initial === '=' ? '' : initial);
  if (initial !== undefined && initialResponse === null) return refuse('bad-base64');
  return { values: { mechanism: mechanism.toUpperCase(), initialResponse } };
};

export interface ApopArguments {
  /** latin1 bytes. */
  readonly name: string;
  readonly digest: Buffer;
}

export const apopArguments: ArgumentParser<ApopArguments> = (argument) => {
  const [name, digest, ...rest] = splitWords(argument);
  if (name === undefined || digest === undefined) return refuse('needs-name-and-digest');
  if (rest.length > 0) return refuse('too-many-arguments');
  return { values: { name, digest: Buffer.from(digest, 'latin1') } };
};

export const optionalWord: ArgumentParser<string | null> = (argument) => {
  const [word = null, ...rest] = splitWords(argument);
  return rest.length > 0 ? refuse('too-many-arguments') : { values: word };
};

/**
 * The texts name both ends of what is accepted, so that they are true of what is too large as well.
 */
function refuseNumber(text: string): { readonly refusal: ErrorOutcome } {
  return { refusal: error(text, { max: maxMessageNumber }) };
}

function refuse(text: string): { readonly refusal: ErrorOutcome } {
  return { refusal: error(text) };
}
