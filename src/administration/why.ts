// `pop3ctl why`: what is known of one user, in one screen: sessions, log, last login, and what
// rules and account sources say of a login from an address.

import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { readLastLogins, type LastLogin } from '../auth/sqlite/last-logins.js';
import { decide, formatTarget } from '../launcher/rules/access-rules.js';
import type { Address } from '../launcher/rules/address.js';
import { readRulesFile } from '../launcher/rules/rules-file.js';
import type { LoginName } from '../auth/accounts/login-name.js';
import { ConfigurationError } from '../system/failures/failures.js';
import { describeAccount } from './account-now.js';
import { askTcpsrun } from './ask-tcpsrun.js';
import { tryLogLine, type LogLine } from './log-lines.js';
import { formatSessions } from './session-table.js';
import { SessionsOfUser } from './sessions-of-user.js';
import { systemWords } from '../system/failures/system-words.js';

export interface WhyOptions {
  readonly login: LoginName;
  /** Undefined: not asked. */
  readonly control: string | undefined;
  /** `-`: standard input. */
  readonly log: string | undefined;
  /** How many of the last sessions are shown. */
  readonly count: number;
  /** Whether each message has its line, however many there are. */
  readonly showsMessages: boolean;
  /** Of names in the log that have none. */
  readonly defaultDomain: string | undefined;
  readonly lastLogin: string | undefined;
  readonly rules: string | undefined;
  readonly from: Address | undefined;
  /** As `--passdb` names them; none: not asked. */
  readonly sources: readonly string[];
  readonly query: string | undefined;
  readonly allowsWeakSchemes: boolean;
}

/** So many messages of a session have a line each. */
const mostMessageLines = 3;

/**
 * @returns the text, and whether anything was found of the user
 * @throws ConfigurationError, TemporaryError
 */
export async function explainUser(
  options: WhyOptions,
): Promise<{ readonly text: string; readonly isKnown: boolean }> {
  const { login, control, log, lastLogin, rules, from, sources } = options;
  const user = addressOf(login);
  const parts = [`user: ${user}\n`];
  let isKnown = false;
  const tell = (title: string, found: string): void => {
    parts.push(`\n${title}:${found === '' ? ' none\n' : `\n${found}`}`);
    isKnown ||= found !== '';
  };
  if (control !== undefined) {
    const reply = await askTcpsrun(control, { command: 'who' });
    const sessions = 'sessions' in reply ? reply.sessions : [];
    const own = sessions.filter((session) => session.user?.toLowerCase() === user);
    tell('sessions now', own.length === 0 ? '' : formatSessions(own));
  }
  if (lastLogin !== undefined) {
    tell('last logins', readLastLogins(lastLogin, login).map(formatLastLogin).join(''));
  }
  if (log !== undefined) tell('log', await readLog(log, options));
  const address = from === undefined ? null : describeAddress(from, rules);
  if (address !== null) parts.push(`\n${address.text}`);
  if (sources.length > 0) {
    const asked = { ...options, from: from?.text, level: address?.level ?? null };
    const account = await describeAccount(asked);
    parts.push(`\na login now${from === undefined ? '' : ` from ${from.text}`}:\n${account.text}`);
    isKnown ||= account.isKnown;
  }
  return { text: parts.join(''), isKnown };
}

function addressOf({ user, domain }: LoginName): string {
  return `${user}@${domain}`;
}

function formatLastLogin(login: LastLogin): string {
  const { service, at, peer, mechanism, tls, label } = login;
  const more = [tls, label].filter((word) => word !== null).join(' ');
  return `  ${service} ${at} from ${peer ?? '?'} by ${mechanism} ${more}`.trimEnd() + '\n';
}

async function readLog(file: string, options: WhyOptions): Promise<string> {
  const { login, count, defaultDomain } = options;
  const sessions = new SessionsOfUser(login, count, defaultDomain);
  const input = file === '-' ? process.stdin : createReadStream(file);
  try {
    for await (const text of createInterface({ input, crlfDelay: Infinity })) {
      const line = tryLogLine(text);
      if (line !== null) sessions.add(line);
    }
  } catch (error) {
    throw new ConfigurationError(`option --log: ${file}: ${systemWords(error)}`);
  }
  return sessions.found.map(({ lines }) => formatSession(lines, options)).join('');
}

/** Many messages are one line, but for those of which it says why not. */
function formatSession(lines: readonly LogLine[], { login, showsMessages }: WhyOptions): string {
  const messages = lines.filter(({ event }) => event === 'message');
  const isLong = !showsMessages && messages.length > mostMessageLines;
  const odd = messages.filter(({ members }) => members.has('why')).slice(0, mostMessageLines);
  return lines
    .map((line) => {
      if (!isLong || line.event !== 'message' || odd.includes(line)) return formatLine(line, login);
      return line === messages[0] ? formatMessages(messages) : '';
    })
    .join('');
}

/** How often each of what became of them. */
function formatMessages(messages: readonly LogLine[]): string {
  const counts = new Map<string, number>();
  for (const { members } of messages) {
    for (const name of ['retr', 'top', 'dele']) {
      const became = `${name}=${members.get(name) ?? 'no'}`;
      if (!became.endsWith('=no')) counts.set(became, (counts.get(became) ?? 0) + 1);
    }
  }
  const became = [...counts].map(([name, count]) => `, ${count} ${name}`).join('');
  const time = messages[0]?.time ?? '';
  return `  ${[time, `${messages.length} messages`].filter((word) => word !== '').join(' ')}${became}\n`;
}

/** What says nothing of a user, or is said already. */
const leftOut = new Set(['program', 'event', 'session', 'time']);

function formatLine({ event, members, time }: LogLine, login: LoginName): string {
  const shown = [...members].filter(
    ([name, text]) => !leftOut.has(name) && !(name === 'user' && text === addressOf(login)),
  );
  const fields = shown.map(
    ([name, text]) => `${name}=${/^[!-~]+$/.test(text) ? text : JSON.stringify(text)}`,
  );
  return `  ${[time, event, ...fields].filter((word) => word !== '').join(' ')}\n`;
}

function describeAddress(
  from: Address,
  file: string | undefined,
): { readonly text: string; readonly level: number | null } {
  if (file === undefined) {
    return { text: `from ${from.text}: level 1, without rules\n`, level: null };
  }
  const { level, rule } = decide(readRulesFile(file), from);
  const why =
    rule === null ? `no rule in ${file}` : `${file}:${rule.line}: ${formatTarget(rule.target)}`;
  return {
    text: `from ${from.text}: level ${level}${level === 0 ? ', denied' : ''} (${why})\n`,
    level,
  };
}
