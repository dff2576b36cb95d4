// Every command: its states, how its arguments are read, what runs, where it is specified. CAPA is derived from here.

import { formatCapability } from '../wire/capability.js';
import {
  noArguments,
  oneMessageNumber,
  optionalMessageNumber,
  password,
  topArguments,
  userName,
  type ArgumentParser,
} from './arguments.js';
import { pass, user, type AuthorizationContext } from './authorization.js';
import type { Outcome } from './outcome.js';
import type { Authorization, State, StateName, Transaction } from './session-state.js';
import { dele, list, noop, retr, rset, stat, top, uidl } from './transaction.js';
import { quitAuthorization, quitTransaction } from './update.js';

/** What a command does in one state: never called in another. */
interface Handler<S extends State, A> {
  readonly parse: ArgumentParser<A>;
  readonly run: (values: A, state: S, context: AuthorizationContext) => Outcome | Promise<Outcome>;
}

interface Command {
  /** Where it is specified. */
  readonly spec: string;
  /** What CAPA says of it; absent for the commands that RFC 1939 §5 makes every server have. */
  readonly capability?: string;
  readonly AUTHORIZATION?: Handler<Authorization, unknown>;
  readonly TRANSACTION?: Handler<Transaction, unknown>;
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
  ['USER', { spec: 'RFC 1939 §7', capability: 'USER', ...inAuthorization(userName, user) }],
  ['PASS', { spec: 'RFC 1939 §7', ...inAuthorization(password, pass) }],
  ['STAT', { spec: 'RFC 1939 §5', ...inTransaction(noArguments, stat) }],
  ['LIST', { spec: 'RFC 1939 §5', ...inTransaction(optionalMessageNumber, list) }],
  ['RETR', { spec: 'RFC 1939 §5', ...inTransaction(oneMessageNumber, retr) }],
  ['DELE', { spec: 'RFC 1939 §5', ...inTransaction(oneMessageNumber, dele) }],
  ['NOOP', { spec: 'RFC 1939 §5', ...inTransaction(noArguments, noop) }],
  ['RSET', { spec: 'RFC 1939 §5', ...inTransaction(noArguments, rset) }],
  ['TOP', { spec: 'RFC 1939 §7', capability: 'TOP', ...inTransaction(topArguments, top) }],
  [
    'UIDL',
    { spec: 'RFC 1939 §7', capability: 'UIDL', ...inTransaction(optionalMessageNumber, uidl) },
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
        context: AuthorizationContext,
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

/** RFC 2449 §5: the same set in both states. Maildrops keep mail for ever, and RETR removes nothing: EXPIRE NEVER, §6.7. */
function announce(): Outcome {
  const ofCommands = [...commands.values()].flatMap(({ capability }) => capability ?? []);
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
