// `pop3ctl why`: what is known of one user, in one screen: sessions, log, last login, and what the
// rules say of an address.

import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { readLastLogins, type LastLogin } from '../auth/sqlite/last-logins.js';
import { decide, formatTarget } from '../launcher/rules/access-rules.js';
import type { Address } from '../launcher/rules/address.js';
import { readRulesFile } from '../launcher/rules/rules-file.js';
import { ConfigurationError } from '../system/failures/failures.js';
import { askTcpsrun } from './ask-tcpsrun.js';
import { tryLogLine, type LogLine } from './log-lines.js';
import { formatSessions } from './session-table.js';
import { SessionsOfUser } from './sessions-of-user.js';

export interface WhyOptions {
  /** `user@domain` */
  readonly user: string;
  /** Undefined: not asked. */
  readonly control: string | undefined;
  /** `-`: standard input. */
  readonly log: string | undefined;
  /** How many of the last sessions are shown. */
  readonly count: number;
  readonly lastLogin: string | undefined;
  readonly rules: string | undefined;
  readonly from: Address | undefined;
}

/**
 * @returns the text, and whether anything was found of the user
 * @throws ConfigurationError, TemporaryError
 */
export async function explainUser(
  options: WhyOptions,
): Promise<{ readonly text: string; readonly isKnown: boolean }> {
  const { user, control, log, lastLogin, rules, from } = options;
  const parts = [`user: ${user}\n`];
  let isKnown = false;
  const tell = (title: string, found: string): void => {
    parts.push(`\n${title}:${found === '' ? ' none\n' : `\n${found}`}`);
    isKnown ||= found !== '';
  };
  if (control !== undefined) {
    const reply = await askTcpsrun(control, { command: 'who' });
    const sessions = 'sessions' in reply ? reply.sessions : [];
    const own = sessions.filter((session) => session.user?.toLowerCase() === user.toLowerCase());
    tell('sessions now', own.length === 0 ? '' : formatSessions(own));
  }
  if (lastLogin !== undefined) {
    tell('last logins', readLastLogins(lastLogin, user).map(formatLastLogin).join(''));
  }
  if (log !== undefined) tell('log', await readLog(log, options));
  if (from !== undefined) parts.push(`\n${describeAddress(from, rules)}`);
  return { text: parts.join(''), isKnown };
}

function formatLastLogin(login: LastLogin): string {
  const { service, at, peer, mechanism, tls, label } = login;
  const more = [tls, label].filter((word) => word !== null).join(' ');
  return `  ${service} ${at} from ${peer ?? '?'} by ${mechanism} ${more}`.trimEnd() + '\n';
}

async function readLog(file: string, { user, count }: WhyOptions): Promise<string> {
  const sessions = new SessionsOfUser(user, count);
  const input = file === '-' ? process.stdin : createReadStream(file);
  try {
    for await (const text of createInterface({ input, crlfDelay: Infinity })) {
      const line = tryLogLine(text);
      if (line !== null) sessions.add(line);
    }
  } catch (error) {
    throw new ConfigurationError(`option --log: ${(error as Error).message}`);
  }
  return sessions.found.map(({ lines }) => lines.map(formatLine).join('')).join('');
}

/** What says nothing of a user, or is said already. */
const leftOut = new Set(['program', 'event', 'session', 'time', 'user']);

function formatLine({ event, members, time }: LogLine): string {
  const shown = [...members].filter(([name]) => !leftOut.has(name));
  const fields = shown.map(
    ([name, text]) => `${name}=${/^[!-~]+$/.test(text) ? text : JSON.stringify(text)}`,
  );
  return `  ${[time, event, ...fields].filter((word) => word !== '').join(' ')}\n`;
}

function describeAddress(from: Address, file: string | undefined): string {
  if (file === undefined) return `from ${from.text}: level 1, without rules\n`;
  const { level, rule } = decide(readRulesFile(file), from);
  const why =
    rule === null ? `no rule in ${file}` : `${file}:${rule.line}: ${formatTarget(rule.target)}`;
  return `from ${from.text}: level ${level}${level === 0 ? ', denied' : ''} (${why})\n`;
}
