// Everything about each command is in its row: its states, how its arguments are read, what runs,
// where it is specified. CAPA is derived from the rows.

import { formatCapability } from '../../wire/capability.js';
import { parseCommandLine } from '../../wire/command-line.js';
import { maxAuthLineOctets, maxCommandLineOctets } from '../../wire/limits.js';
import { after } from '../../system/runtime/after.js';
import {
  apopArguments,
  authArguments,
  noArguments,
  oneMessageNumber,
  optionalMessageNumber,
  optionalWord,
  password,
  topArguments,
  userName,
  type ArgumentParser,
} from './arguments.js';
import { apop, auth, mechanismsFor } from './authentication.js';
import { pass, user } from './authorization.js';
import { stls } from './encryption.js';
import { lang, utf8 } from './language.js';
import { error, lineTooLong, unknownCommand, type Outcome } from './outcome.js';
import type { SessionContext } from './session-context.js';
import type { Authorization, State, Transaction } from './session-state.js';
import { dele, list, noop, retr, rset, stat, top, uidl } from './transaction.js';
import { quitAuthorization, quitTransaction } from './update.js';

/** What a command does in one state: never called in another. */
interface Handler<S extends State> {
  readonly parse: ArgumentParser<unknown>;
  readonly run: (values: unknown, state: S, context: SessionContext) => Outcome | Promise<Outcome>;
}

interface Command {
  /** Where it is specified. */
  readonly spec: string;
  /**
   * What CAPA says of it; absent for the commands that RFC 1939 §5 makes every server have, null
   * when it is not to be had.
   */
  readonly capability?: (offer: Offer) => string | null;
  /** The longest line, line end not counted; `maxCommandLineOctets` when absent. */
  readonly maxLineOctets?: number;
  /**
   * Finds out for itself what other programs did to the maildrop: the list is not refreshed before
   * it.
   */
  readonly looksForItself?: true;
  readonly AUTHORIZATION?: Handler<Authorization>;
  readonly TRANSACTION?: Handler<Transaction>;
}

/** What the capabilities depend on. */
interface Offer {
  readonly allowsLogin: boolean;
  readonly canStartTls: boolean;
  readonly mechanisms: readonly string[];
}

function handler<S extends State, A>(
  parse: ArgumentParser<A>,
  run: (values: A, state: S, context: SessionContext) => Outcome | Promise<Outcome>,
): Handler<S> {
  return { parse, run: run as Handler<S>['run'] };
}

const rows: Readonly<Record<string, Command>> = {
  CAPA: {
    spec: 'RFC 2449 §5',
    AUTHORIZATION: handler(noArguments, announce),
    TRANSACTION: handler(noArguments, announce),
  },
  STLS: {
    spec: 'RFC 2595 §4',
    capability: ({ canStartTls }) => (canStartTls ? 'STLS' : null),
    AUTHORIZATION: handler(noArguments, stls),
  },
  USER: {
    spec: 'RFC 1939 §7',
    capability: ({ allowsLogin }) => (allowsLogin ? 'USER' : null),
    AUTHORIZATION: handler(userName, user),
  },
  PASS: { spec: 'RFC 1939 §7', AUTHORIZATION: handler(password, pass) },
  AUTH: {
    spec: 'RFC 5034 §4',
    maxLineOctets: maxAuthLineOctets,
    capability: ({ mechanisms }) =>
      mechanisms.length === 0 ? null : formatCapability('SASL', ...mechanisms),
    AUTHORIZATION: handler(authArguments, auth),
  },
  APOP: { spec: 'RFC 1939 §7', AUTHORIZATION: handler(apopArguments, apop) },
  UTF8: {
    spec: 'RFC 6856 §2',
    capability: () => formatCapability('UTF8', 'USER'),
    AUTHORIZATION: handler(noArguments, utf8),
    TRANSACTION: handler(noArguments, utf8),
  },
  LANG: {
    spec: 'RFC 6856 §3',
    capability: () => 'LANG',
    AUTHORIZATION: handler(optionalWord, lang),
    TRANSACTION: handler(optionalWord, lang),
  },
  STAT: { spec: 'RFC 1939 §5', TRANSACTION: handler(noArguments, stat) },
  LIST: { spec: 'RFC 1939 §5', TRANSACTION: handler(optionalMessageNumber, list) },
  RETR: {
    spec: 'RFC 1939 §5',
    looksForItself: true,
    TRANSACTION: handler(oneMessageNumber, retr),
  },
  DELE: { spec: 'RFC 1939 §5', TRANSACTION: handler(oneMessageNumber, dele) },
  NOOP: { spec: 'RFC 1939 §5', TRANSACTION: handler(noArguments, noop) },
  RSET: { spec: 'RFC 1939 §5', TRANSACTION: handler(noArguments, rset) },
  TOP: {
    spec: 'RFC 1939 §7',
    capability: () => 'TOP',
    looksForItself: true,
    TRANSACTION: handler(topArguments, top),
  },
  UIDL: {
    spec: 'RFC 1939 §7',
    capability: () => 'UIDL',
    TRANSACTION: handler(optionalMessageNumber, uidl),
  },
  QUIT: {
    spec: 'RFC 1939 §4, §6',
    // It ends the session even when the maildrop cannot be looked at.
    looksForItself: true,
    AUTHORIZATION: handler(noArguments, quitAuthorization),
    TRANSACTION: handler(noArguments, quitTransaction),
  },
};

/** By upper-cased keyword. A Map, so that what a peer sent finds nothing but the rows. */
export const commands: ReadonlyMap<string, Command> = new Map(Object.entries(rows));

/**
 * Carries out one command line, at once where it can be.
 *
 * @param line without its line end
 * @throws what the command throws, such as the system's errors
 */
export function runCommand(
  line: Buffer,
  state: State,
  context: SessionContext,
): Outcome | Promise<Outcome> {
  const parsedLine = parseCommandLine(line);
  if (parsedLine === null) return unknownCommand;
  const command = commands.get(parsedLine.keyword);
  if (line.length > (command?.maxLineOctets ?? maxCommandLineOctets)) return lineTooLong;
  if (command === undefined) return unknownCommand;
  const found = command[state.name] as Handler<State> | undefined;
  if (found === undefined) return error(`wrong-state-${state.name.toLowerCase()}`);
  const parsed = found.parse(parsedLine.argument);
  if ('refusal' in parsed) return parsed.refusal;
  const refreshing =
    state.name === 'TRANSACTION' && command.looksForItself !== true
      ? state.login.maildrop.refresh()
      : undefined;
  return after(refreshing, () => found.run(parsed.values, state, context));
}

/**
 * RFC 2449 §5: the same set in both states, but for STLS, which RFC 2595 §4 announces in
 * AUTHORIZATION only.
 */
async function announce(_: null, state: State, context: SessionContext): Promise<Outcome> {
  const { link } = context;
  const offer: Offer = {
    allowsLogin: link.allowsLogin,
    canStartTls: link.canStartTls && state.name === 'AUTHORIZATION',
    mechanisms: link.allowsLogin ? await mechanismsFor(context) : [],
  };
  const ofCommands = [...commands.values()].flatMap(({ capability }) => capability?.(offer) ?? []);
  return {
    kind: 'listing',
    text: 'capabilities',
    lines: [
      ...ofCommands,
      'PIPELINING',
      'RESP-CODES',
      'AUTH-RESP-CODE',
      formatCapability('EXPIRE', ...(await retention(state, context))),
      formatCapability('IMPLEMENTATION', 'pop3d'),
    ],
  };
}

/**
 * RFC 2449 §6.7: how many days messages stay, before the login the least of all users. Maildrops
 * keep mail for ever, and RETR removes nothing. But a user who sees only the mail of the last days
 * has no other.
 */
async function retention(state: State, context: SessionContext): Promise<readonly string[]> {
  if (state.name === 'TRANSACTION') {
    const { days } = state.login.grant;
    return [days === null ? 'NEVER' : String(days)];
  }
  if (!context.link.allowsLogin) return ['NEVER'];
  const leastDays = await (await context.service.authenticator()).leastDays();
  return leastDays === null ? ['NEVER'] : [String(leastDays), 'USER'];
}
