// Command lines: `--name value` and the original suite's `/NAME value`, over minimist.
// Knows nothing of any program; a program describes its options in a table.

import minimist from 'minimist';
import { UsageError } from '../failures/failures.js';

interface OptionBase {
  /** One line for `--help`. */
  readonly help: string;
  /**
   * An environment variable that supplies the value when the option is not given; empty counts as
   * unset.
   */
  readonly env?: string;
}

export interface FlagOption extends OptionBase {
  readonly kind: 'flag';
}

/** A flag that may have a value, such as `30d`: the next word, when it is one. */
export interface ValuedFlagOption extends OptionBase {
  readonly kind: 'valued-flag';
  readonly value: string;
  readonly example: string;
  readonly pattern: RegExp;
}

export interface TextOption extends OptionBase {
  readonly kind: 'text';
  /** What the help calls the value, e.g. FILE. */
  readonly value: string;
  /** The only values allowed. */
  readonly choices?: readonly string[];
}

/** May be given more than once. */
export interface ListOption extends OptionBase {
  readonly kind: 'list';
  /** What the help calls one value. */
  readonly value: string;
}

export interface NumberOption extends OptionBase {
  readonly kind: 'number';
  readonly value: string;
  /** Smallest and largest allowed whole number, inclusive. */
  readonly min: number;
  readonly max: number;
}

export type OptionTable = Readonly<
  Record<string, FlagOption | ValuedFlagOption | TextOption | ListOption | NumberOption>
>;

type ValueOf<O> = O extends FlagOption
  ? boolean
  : O extends ValuedFlagOption
    ? boolean | string
    : O extends NumberOption
      ? number
      : O extends ListOption
        ? readonly string[]
        : string;

export type OptionValues<T extends OptionTable> = {
  readonly [K in keyof T]: ValueOf<T[K]> | undefined;
};

export interface CommandLine<T extends OptionTable> {
  /** The options given on the command line or in the environment; undefined where neither was. */
  readonly options: OptionValues<T>;
  readonly positionals: readonly string[];
}

/**
 * Parses a command line.
 *
 * Accepts `--name value`, `--name=value`, `--flag`, `--no-flag`, and in any case `/NAME value`,
 * `/NAME:value`, `/NAME+`, `/NAME-`. A token starting with `/` that names no option is a positional
 * argument; `--` ends the options.
 *
 * @throws UsageError for an unknown or repeated option, a missing value, a bad number or a value
 *   not among the choices
 */
export function parseCommandLine<T extends OptionTable>(
  table: T,
  argv: readonly string[],
  environment: NodeJS.ProcessEnv,
): CommandLine<T> {
  const { tokens, given } = canonicalise(table, argv);
  const names = Object.keys(table);
  const parsed = minimist(tokens, {
    string: ['_', ...names.filter((name) => table[name]?.kind !== 'flag')],
    boolean: names.filter((name) => table[name]?.kind === 'flag'),
  });
  const options: Record<string, OptionValue> = {};
  for (const [name, option] of Object.entries(table)) {
    const fromEnvironment = option.env === undefined ? undefined : environment[option.env];
    if (given.has(name)) {
      options[name] = convert(option, parsed[name] as Given, `option --${name}`);
    } else if (
      option.env !== undefined &&
      fromEnvironment !== undefined &&
      fromEnvironment !== ''
    ) {
      options[name] = convert(option, fromEnvironment, `environment variable ${option.env}`);
    }
  }
  return { options: options as OptionValues<T>, positionals: parsed._ };
}

/**
 * Rewrites every option as `--name=value`, the form that leaves minimist nothing to guess: it would
 * take `--idle-timeout --tls` for an empty value, `--__proto__.x` for a path and a flag called
 * `no-…` for a negation.
 */
function canonicalise(
  table: OptionTable,
  argv: readonly string[],
): { tokens: string[]; given: ReadonlySet<string> } {
  const tokens: string[] = [];
  const given = new Set<string>();
  const rest = [...argv];
  for (let token = rest.shift(); token !== undefined; token = rest.shift()) {
    if (token === '--') break;
    const written = tryOption(table, token);
    if (written === null) {
      if (token.startsWith('-') && token !== '-') {
        throw new UsageError(`unknown option ${token.replace(/=.*/s, '')}`);
      }
      tokens.push(token);
      continue;
    }
    const { name, value, isNegated } = written;
    const kind = table[name]?.kind;
    if (given.has(name) && kind !== 'list') {
      throw new UsageError(`option --${name} is given twice`);
    }
    given.add(name);
    const option = table[name];
    if (option?.kind === 'valued-flag') {
      const isNext = value === undefined && !isNegated && option.pattern.test(rest[0] ?? '');
      const text = isNext ? rest.shift() : value;
      if (text !== undefined && (isNegated || !option.pattern.test(text))) {
        throw new UsageError(`--${name} takes a value such as ${option.example}, not "${text}"`);
      }
      tokens.push(`--${name}=${text ?? String(!isNegated)}`);
    } else if (kind === 'flag') {
      if (value !== undefined) throw new UsageError(`option --${name} takes no value`);
      tokens.push(`--${name}=${!isNegated}`);
    } else {
      if (isNegated) throw new UsageError(`option --${name} cannot be negated`);
      const text = value ?? rest.shift();
      if (text === undefined) throw new UsageError(`option --${name} needs a value`);
      tokens.push(`--${name}=${text}`);
    }
  }
  return { tokens: [...tokens, '--', ...rest], given };
}

/**
 * Whether `--NAME` stands on a command line, or `/NAME` where no other option takes it for its
 * value. For what every program has and no table lists.
 */
export function asksFor(name: string, table: OptionTable, argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return argv
    .slice(0, end === -1 ? argv.length : end)
    .some(
      (token, index) =>
        token === `--${name}` ||
        (token.toLowerCase() === `/${name}` && !takesNext(table, argv[index - 1] ?? '')),
    );
}

function takesNext(table: OptionTable, token: string): boolean {
  const written = tryOption(table, token);
  if (written === null || written.value !== undefined) return false;
  return table[written.name]?.kind.endsWith('flag') !== true;
}

/**
 * An argument that was probably meant as an option: it stands before all others, looks like `/NAME`
 * in any case, and is no file.
 *
 * @returns undefined when there is none
 */
export function findMistakenOption(
  argv: readonly string[],
  positionals: readonly string[],
  isFile: (path: string) => boolean,
): string | undefined {
  const [first = ''] = positionals;
  const end = argv.indexOf('--');
  const at = argv.indexOf(first);
  const isOption = /^\/[A-Za-z][A-Za-z0-9_-]*(?:[+-]|:.*)?$/s.test(first);
  return isOption && at !== -1 && (end === -1 || at < end) && !isFile(first) ? first : undefined;
}

interface WrittenOption {
  readonly name: string;
  readonly value: string | undefined;
  readonly isNegated: boolean;
}

function tryOption(table: OptionTable, token: string): WrittenOption | null {
  const parts =
    /^--(?<no>no-)?(?<name>[^=]+)(?:=(?<value>.*))?$/s.exec(token) ??
    /^\/(?<name>[A-Za-z0-9_-]*[A-Za-z0-9_])(?:(?<sign>[+-])|:(?<value>.*))?$/s.exec(token);
  if (parts?.groups === undefined) return null;
  const { no, name = '', sign, value } = parts.groups;
  const known = (candidate: string): boolean => Object.hasOwn(table, candidate);
  // An option may itself be called no-…; its own name is looked for first.
  if (no !== undefined && known(`no-${name}`))
    return { name: `no-${name}`, value, isNegated: false };
  const exact = token.startsWith('/') ? name.toLowerCase() : name;
  if (!known(exact)) return null;
  const isNegated = no !== undefined || sign === '-';
  if (sign !== undefined && table[exact]?.kind.endsWith('flag') !== true) return null;
  return { name: exact, value, isNegated };
}

/**
 * What the environment may say for a flag. A map: of an object, `constructor` would be a member,
 * too.
 */
const truths: ReadonlyMap<string, boolean> = new Map([
  ['1', true],
  ['yes', true],
  ['true', true],
  ['0', false],
  ['no', false],
  ['false', false],
]);

/** As minimist has it, or the environment. */
type Given = string | boolean | readonly string[];

type OptionValue = string | number | boolean | readonly string[];

function convert(option: OptionTable[string], given: Given, source: string): OptionValue {
  switch (option.kind) {
    case 'list':
      return typeof given === 'object' ? given : [String(given)];
    case 'flag': {
      if (typeof given === 'boolean') return given;
      const truth = truths.get(String(given));
      if (truth === undefined) {
        throw new UsageError(`${source} must be 1 or 0, not "${String(given)}"`);
      }
      return truth;
    }
    case 'valued-flag': {
      const text = String(given);
      return text === 'true' || (text !== 'false' && text);
    }
    case 'number': {
      const number = tryWholeNumber(String(given), option.min, option.max);
      if (number === null) {
        throw new UsageError(
          `${source} needs a whole number from ${option.min} to ${option.max}, not "${String(given)}"`,
        );
      }
      return number;
    }
    case 'text': {
      const text = String(given);
      if (option.choices !== undefined && !option.choices.includes(text)) {
        throw new UsageError(
          `${source} must be one of ${option.choices.join(', ')}, not "${text}"`,
        );
      }
      return text;
    }
  }
}

/**
 * Reads a whole decimal number, without sign, at most 15 digits.
 *
 * @returns null when it is none or out of range
 */
export function tryWholeNumber(text: string, min: number, max: number): number | null {
  if (!/^[0-9]{1,15}$/.test(text)) return null;
  const number = Number(text);
  return number >= min && number <= max ? number : null;
}

/** The lines of `--help` that describe the options. */
export function formatOptionHelp(table: OptionTable): string {
  const rows = Object.entries(table).map(([name, option]) => {
    const no = option.kind.endsWith('flag') ? '[no-]' : '';
    const left = `--${no}${name}${'value' in option ? ` ${option.value}` : ''}`;
    const environment = option.env === undefined ? '' : ` [env ${option.env}]`;
    return { left, right: option.help + environment };
  });
  const width = Math.min(28, Math.max(0, ...rows.map((row) => row.left.length)));
  return rows.map(({ left, right }) => `  ${left.padEnd(width)}  ${right}\n`).join('');
}
