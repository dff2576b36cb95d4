#!/usr/bin/env node
// pop3ctl: an administrator's questions to a running POP3 service. pop3ctl(8).

import '../system/program/refuse-debugger.js';
import { askTcpsrun } from '../administration/ask-tcpsrun.js';
import { formatSessions } from '../administration/session-table.js';
import { tryLoginName } from '../auth/accounts/login-name.js';
import { tryAddress } from '../launcher/rules/address.js';
import { exitCode, type ExitCode } from '../system/failures/exit-code.js';
import { UsageError } from '../system/failures/failures.js';
import type { OptionValues } from '../system/program/options.js';
import { printText, runProgram } from '../system/program/program.js';

const options = {
  control: {
    kind: 'text',
    value: 'SOCKET',
    env: 'POP3_CONTROL',
    help: "the socket of tcpsrun's --control",
  },
  log: { kind: 'text', value: 'FILE', help: 'why: the log of pop3d; - is standard input' },
  count: {
    kind: 'number',
    value: 'N',
    min: 1,
    max: 100_000,
    help: 'why: show so many of the last sessions and failed logins (5)',
  },
  messages: { kind: 'flag', help: 'why: show each message, however many a session had' },
  'default-domain': {
    kind: 'text',
    value: 'DOMAIN',
    help: "why: pop3d's; else names without @ in the log may be the user's",
  },
  'last-login': { kind: 'text', value: 'FILE', help: "why: the file of pop3d's --last-login" },
  rules: { kind: 'text', value: 'FILE', help: 'why: the access rules' },
  from: { kind: 'text', value: 'ADDRESS', help: 'why: what would happen to a client from there' },
  passdb: {
    kind: 'list',
    value: 'SOURCE',
    env: 'PASSDB',
    help: "why: pop3d's account sources: what would become of each password",
  },
  'passdb-query': { kind: 'text', value: 'SQL', env: 'PASSDB_QUERY', help: "why: pop3d's" },
  'allow-weak-schemes': { kind: 'flag', env: 'ALLOW_WEAK_SCHEMES', help: "why: pop3d's" },
} as const;

type Given = OptionValues<typeof options>;
type Run = (given: Given, operand: string) => Promise<ExitCode>;

const commands: Readonly<Record<string, { readonly operands: number; readonly run: Run }>> = {
  who: { operands: 0, run: who },
  kick: { operands: 1, run: kick },
  counters: { operands: 0, run: counters },
  why: { operands: 1, run: why },
};

void runProgram(
  {
    name: 'pop3ctl',
    synopsis: '[options] who | kick SESSION|ADDRESS|USER@DOMAIN | counters | why USER@DOMAIN',
    purpose: 'Shows and ends sessions of a running tcpsrun, and says why a login failed.',
    options,
    positionals: [1, 2],
  },
  async ({ options: given, positionals: [word = '', ...operands] }) => {
    const command = Object.hasOwn(commands, word) ? commands[word] : undefined;
    if (command === undefined) throw new UsageError(`unknown command "${word}"`);
    if (operands.length !== command.operands) {
      throw new UsageError(
        `${word} takes ${command.operands} more arguments, not ${operands.length}`,
      );
    }
    return command.run(given, operands[0] ?? '');
  },
);

function socketOf({ control }: Given): string {
  if (control === undefined) throw new UsageError('option --control is missing, or POP3_CONTROL');
  return control;
}

async function who(given: Given): Promise<ExitCode> {
  const reply = await askTcpsrun(socketOf(given), { command: 'who' });
  if ('sessions' in reply) print(formatSessions(reply.sessions));
  return exitCode.ok;
}

async function kick(given: Given, whom: string): Promise<ExitCode> {
  const reply = await askTcpsrun(socketOf(given), { command: 'kick', whom });
  const sessions = 'sessions' in reply ? reply.sessions : [];
  if (sessions.length === 0) return exitCode.no;
  print(formatSessions(sessions));
  return exitCode.ok;
}

async function counters(given: Given): Promise<ExitCode> {
  const reply = await askTcpsrun(socketOf(given), { command: 'counters' });
  if (!('counters' in reply)) return exitCode.temporary;
  const lines = Object.entries(reply.counters).map(([name, count]) => `${name} ${String(count)}\n`);
  print(lines.join(''));
  return exitCode.ok;
}

async function why(given: Given, user: string): Promise<ExitCode> {
  const login = tryLoginName(Buffer.from(user), undefined);
  if (login === null) throw new UsageError(`"${user}" is no user@domain`);
  const from = given.from === undefined ? undefined : tryAddress(given.from);
  if (from === null) {
    throw new UsageError(`option --from needs an IPv4 or IPv6 address, not "${given.from ?? ''}"`);
  }
  const { control, log, count = 5, 'last-login': lastLogin, rules, passdb } = given;
  if ([control, log, lastLogin, from, passdb].every((source) => source === undefined)) {
    throw new UsageError('why needs --log, --last-login, --control, --from or --passdb');
  }
  const { explainUser } = await import('../administration/why.js');
  const { text, isKnown } = await explainUser({
    ...{ login, control, log, count, lastLogin, rules, from },
    showsMessages: given.messages === true,
    defaultDomain: given['default-domain'],
    sources: passdb ?? [],
    query: given['passdb-query'],
    allowsWeakSchemes: given['allow-weak-schemes'] === true,
  });
  print(text);
  return isKnown || from !== undefined ? exitCode.ok : exitCode.no;
}

function print(text: string): void {
  printText('pop3ctl', text);
}
