// Asks for a password: twice and without echo on a terminal, else one line of standard input.

import { maxPasswordOctets } from '../stored/password-octets.js';
import { ConfigurationError, TemporaryError } from '../../system/failures/failures.js';

/** The user pressed Ctrl-C, Ctrl-D or hung up. */
export class InputAbandonedError extends TemporaryError {}

export interface PasswordInput {
  readonly input: NodeJS.ReadStream;
  /** Where the questions go; never standard output, which may be a file. */
  readonly prompts: NodeJS.WritableStream;
}

/**
 * Reads a new password; on a terminal it is asked for twice.
 *
 * @throws ConfigurationError when the two differ, or for one over 512 octets; InputAbandonedError
 */
export async function readNewPassword(from: PasswordInput): Promise<Buffer> {
  if (!from.input.isTTY) return readLine(from.input);
  const [first, second] = await ask(from, ['New password: ', 'The same again: ']);
  if (second === undefined || !first.equals(second)) {
    throw new ConfigurationError('the two passwords differ');
  }
  return first;
}

/**
 * Reads a password that exists already; asked for once.
 *
 * @throws ConfigurationError, InputAbandonedError
 */
export async function readPassword(from: PasswordInput): Promise<Buffer> {
  if (!from.input.isTTY) return readLine(from.input);
  const [password] = await ask(from, ['Password: ']);
  return password;
}

/** What some editors and shells put before a text in UTF-8. */
const byteOrderMark = Buffer.from('\ufeff');
const tooLong = `a password may have at most ${maxPasswordOctets} octets`;

/** The octets before the first line end, whether or not there is one. */
async function readLine(input: NodeJS.ReadStream): Promise<Buffer> {
  let line: Buffer = Buffer.alloc(0);
  try {
    for await (const chunk of input as AsyncIterable<Buffer>) {
      line = Buffer.concat([line, chunk]);
      if (line.includes(0x0a) || line.length > maxPasswordOctets + 5) break;
    }
  } catch (error) {
    // A directory, say.
    throw new ConfigurationError(`standard input: ${(error as Error).message}`);
  }
  if (line.subarray(0, 3).equals(byteOrderMark)) line = line.subarray(3);
  const end = line.indexOf(0x0a);
  if (end !== -1) line = line.subarray(0, end);
  if (line.at(-1) === 0x0d) line = line.subarray(0, -1);
  if (line.length > maxPasswordOctets) throw new ConfigurationError(tooLong);
  return line;
}

type Answers = readonly [Buffer, ...Buffer[]];

/**
 * Answers to the questions, one after the other, in one stretch of raw mode: what was typed ahead
 * is not lost.
 */
async function ask(
  { input, prompts }: PasswordInput,
  questions: readonly string[],
): Promise<Answers> {
  const answers: Buffer[] = [];
  let typed: Buffer = Buffer.alloc(0);
  input.setRawMode(true);
  try {
    prompts.write(questions[0] ?? '');
    const chunks = input.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
    for await (const chunk of chunks) {
      for (const key of chunk) {
        if (!isLineEnd(key)) {
          typed = edit(typed, key);
          continue;
        }
        answers.push(typed);
        typed = Buffer.alloc(0);
        prompts.write('\n');
        if (answers.length === questions.length) return answers as unknown as Answers;
        prompts.write(questions[answers.length] ?? '');
      }
    }
  } finally {
    // After a hangup there is no terminal to reset.
    if (!input.destroyed) input.setRawMode(false);
    input.destroy(); // Read on, it would keep the program from ending.
  }
  throw new InputAbandonedError('no password was given');
}

function isLineEnd(key: number): boolean {
  return key === 0x0a || key === 0x0d;
}

/** What raw mode leaves to the program: Ctrl-C, Ctrl-D on an empty line, backspace, Ctrl-U. */
function edit(typed: Buffer, key: number): Buffer {
  switch (key) {
    case 0x03:
      throw new InputAbandonedError('interrupted');
    case 0x04:
      if (typed.length === 0) throw new InputAbandonedError('no password was given');
      return typed;
    case 0x08:
    case 0x7f:
      return typed.subarray(0, lastCharacterStart(typed));
    case 0x15:
      return Buffer.alloc(0);
    default:
      if (typed.length >= maxPasswordOctets) throw new ConfigurationError(tooLong);
      return Buffer.concat([typed, Buffer.of(key)]);
  }
}

/** A character of UTF-8 starts at the last octet that does not begin with the bits 10. */
function lastCharacterStart(typed: Buffer): number {
  let start = typed.length - 1;
  while (start > 0 && ((typed[start] ?? 0) & 0xc0) === 0x80) start -= 1;
  return Math.max(0, start);
}
