// The maildrop that pop3d serves under faults, and what must hold of it afterwards, whatever a client was told.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { asSent } from '../support/mail/as-sent.js';
import type { MaildirFixture } from '../support/mail/maildir-fixture.js';

const messages = ['one', 'two\n.\n..', 'three', 'four'].map(
  (text) => `Subject: ${text.slice(0, 5).trim()}\n\nThis is ${text}\nlast\n`,
);
export const stored = messages.map((text) => Buffer.from(text));
export const sent = stored.map((message) => asSent(message));
export const numbers = [1, 2, 3, 4];
export function nameOf(number: number): string {
  return `170000000${number}.M${number}P1.fixture`;
}

/** What a client saw. */
export interface Talk {
  readonly violations: readonly string[];
  readonly replies: readonly string[];
  readonly marked: readonly number[];
  readonly saidQuit: boolean;
  readonly quitReply: string | null;
}

/** Nothing is lost, nothing is deleted without QUIT, and QUIT told the truth. */
export function audit(
  inbox: MaildirFixture,
  { marked, saidQuit, quitReply }: Talk,
  mayBeGone: boolean,
): string[] {
  const violations: string[] = [];
  const left = new Map<number, string>();
  for (const folder of ['new', 'cur'] as const) {
    for (const name of inbox.names(folder)) {
      const number = numbers.find((candidate) => name.startsWith(nameOf(candidate)));
      if (number === undefined) violations.push(`a strange file: ${folder}/${name}`);
      else left.set(number, inbox.read(folder, name).toString('latin1'));
    }
  }
  for (const number of numbers) {
    const content = left.get(number);
    if (content !== undefined && content !== messages[number - 1])
      violations.push(`${number} changed`);
    if (content !== undefined) continue;
    if (!marked.includes(number)) violations.push(`message ${number} is lost`);
    else if (!saidQuit) violations.push(`message ${number} went without QUIT`);
  }
  const isAnyLeft = marked.some((number) => left.has(number));
  // Where the system says that a message is gone already, nobody can know better.
  if (quitReply?.startsWith('+OK') === true && isAnyLeft && !mayBeGone)
    violations.push(`false: ${quitReply}`);
  if (quitReply?.startsWith('-ERR') === true && !isAnyLeft && marked.length > 0) {
    violations.push(`all is gone, but: ${quitReply}`);
  }
  return violations;
}

/** What is remembered for later sessions is right: a fault that passes must leave nothing wrong behind. */
export function auditOctets({ path }: MaildirFixture): string[] {
  let remembered;
  try {
    remembered = readFileSync(join(path, 'pop3d.octets'), 'latin1');
  } catch {
    return [];
  }
  return numbers.flatMap((number) => {
    const [, octets] = new RegExp(`^(\\d+) ${nameOf(number)}$`, 'm').exec(remembered) ?? [];
    const isWrong = octets !== undefined && Number(octets) !== sent[number - 1]?.length;
    return isWrong ? [`remembered for good: ${octets} octets of message ${number}`] : [];
  });
}

/** Temporary files go in the end; those of a process that had no end are at most one for each file that it replaces. */
export function auditTemporary({ path }: MaildirFixture, isCutShort: boolean): string[] {
  const names = readdirSync(join(path, 'tmp'));
  return names.length > (isCutShort ? 2 : 0) ? [`left in tmp: ${names.join()}`] : [];
}
