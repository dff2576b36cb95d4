// Every command: its states, how its arguments are read, what runs, where it is specified. CAPA is derived from here.

import { formatCapability } from '../../wire/capability.js';
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
import type { Outcome } from './outcome.js';
import type { SessionContext } from './session-context.js';
import type { Authorization, State, StateName, Transaction } from './session-state.js';
import { dele, list, noop, retr, rset, stat, top, uidl } from './transaction.js';
import { quitAuthorization, quitTransaction } from './update.js';

/** What a command does in one state: never called in another. */
interface Handler<S extends State, A> {
  readonly parse: ArgumentParser<A>;
  readonly run: (values: A, state: S, context: SessionContext) => Outcome | Promise<Outcome>;
}

interface Command {
  /** Where it is specified. */
  readonly spec: string;
  /** What CAPA says of it; absent for the commands that RFC 1939 §5 makes every server have, null when it is not to be had. */
  readonly capability?: (offer: Offer) => string | null;
  readonly AUTHORIZATION?: Handler<Authorization, unknown>;
  readonly TRANSACTION?: Handler<Transaction, unknown>;
}

/** What the capabilities depend on. */
interface Offer {
  readonly allowsLogin: boolean;
  readonly canStartTls: boolean;
  readonly mechanisms: readonly string[];
}

function inAuthorization<A>(
  parse: ArgumentParser<A>,
  run: Handler<Authorization, A>['run'],
): Pick<Command, 'AUTHORIZATION'> {
  return { AUTHORIZATION: { parse, run: run as Handler<Authorization, unknown>['run'] } };
}

function inTransaction<A>(
  parse: ArgumentParser<A>,
  run: Handler<Transaction, A>['run'],
): Pick<Command, 'TRANSACTION'> {
  return { TRANSACTION: { parse, run: run as Handler<Transaction, unknown>['run'] } };
}

const commands: ReadonlyMap<string, Command> = new Map<string, Command>([
  [
    'CAPA',
    {
      spec: 'RFC 2449 §5',
      ...inAuthorization(noArguments, announce),
      ...inTransaction(noArguments, announce),
    },
  ],
  [
    'STLS',
    {
      spec: 'RFC 2595 §4',
      capability: ({ canStartTls }) => (canStartTls ? 'STLS' : null),
      ...inAuthorization(noArguments, stls),
    },
  ],
  [
    'USER',
    {
      spec: 'RFC 1939 §7',
      capability: ({ allowsLogin }) => (allowsLogin ? 'USER' : null),
      ...inAuthorization(userName, user),
    },
  ],
  ['PASS', { spec: 'RFC 1939 §7', ...inAuthorization(password, pass) }],
  [
    'AUTH',
    {
      spec: 'RFC 5034 §4',
      capability: ({ mechanisms }) =>
        mechanisms.length === 0 ? null : formatCapability('SASL', ...mechanisms),
      ...inAuthorization(authArguments, auth),
    },
  ],
  ['APOP', { spec: 'RFC 1939 §7', ...inAuthorization(apopArguments, apop) }],
  [
    'UTF8',
    {
      spec: 'RFC 6856 §2',
      capability: () => formatCapability('UTF8', 'USER'),
      ...inAuthorization(noArguments, utf8),
      ...inTransaction(noArguments, utf8),
    },
  ],
  [
    'LANG',
    {
      spec: 'RFC 6856 §3',
      capability: () => 'LANG',
      ...inAuthorization(optionalWord, lang),
      ...inTransaction(optionalWord, lang),
    },
  ],
  ['STAT', { spec: 'RFC 1939 §5', ...inTransaction(noArguments, stat) }],
  ['LIST', { spec: 'RFC 1939 §5', ...inTransaction(optionalMessageNumber, list) }],
  ['RETR', { spec: 'RFC 1939 §5', ...inTransaction(oneMessageNumber, retr) }],
  ['DELE', { spec: 'RFC 1939 §5', ...inTransaction(oneMessageNumber, dele) }],
  ['NOOP', { spec: 'RFC 1939 §5', ...inTransaction(noArguments, noop) }],
  ['RSET', { spec: 'RFC 1939 §5', ...inTransaction(noArguments, rset) }],
  ['TOP', { spec: 'RFC 1939 §7', capability: () => 'TOP', ...inTransaction(topArguments, top) }],
  [
    'UIDL',
    {
      spec: 'RFC 1939 §7',
      capability: () => 'UIDL',
      ...inTransaction(optionalMessageNumber, uidl),
    },
  ],
  [
    'QUIT',
    {
      spec: 'RFC 1939 §4, §6',
      ...inAuthorization(noArguments, quitAuthorization),
      ...inTransaction(noArguments, quitTransaction),
    },
  ],
]);

export type FoundCommand =
  | { readonly found: 'nothing' }
  /** A command, but not one of this state. */
  | { readonly found: 'other-state' }
  | {
      readonly found: 'command';
      readonly parse: ArgumentParser<unknown>;
      readonly run: (
        values: unknown,
        state: State,
        context: SessionContext,
      ) => Outcome | Promise<Outcome>;
    };

/** Finds what a keyword does in a state. @param keyword upper-cased */
export function findCommand(keyword: string, state: StateName): FoundCommand {
  const command = commands.get(keyword);
  if (command === undefined) return { found: 'nothing' };
  const handler = command[state] as Handler<State, unknown> | undefined;
  return handler === undefined ? { found: 'other-state' } : { found: 'command', ...handler };
}

/** All keywords, for tests that try each in each state. */
export function allKeywords(): readonly string[] {
  return [...commands.keys()];
}

/**
 * RFC 2449 §5: the same set in both states, but for STLS, which RFC 2595 §4 announces in AUTHORIZATION only. Maildrops keep mail
 * for ever, and RETR removes nothing: EXPIRE NEVER, RFC 2449 §6.7.
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
      formatCapability('EXPIRE', 'NEVER'),
      formatCapability('IMPLEMENTATION', 'pop3d'),
    ],
  };
}
