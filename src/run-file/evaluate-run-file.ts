// What a run file comes to: program, arguments, directory, environment. Touches no file.

import { resolve } from 'node:path';
import { RunFileError } from './run-file-error.js';
import type { Directive, RunFile } from './run-file.js';
import { fillIn, ValueError } from './value-template.js';

export interface RunFileContext {
  /** What the program would inherit; `clearenv` removes it. */
  readonly inherited: ReadonlyMap<string, string>;
  /** The facts of the connection: set on top, and kept by `clearenv`. */
  readonly facts: ReadonlyMap<string, string>;
  /** `%1` is the first. */
  readonly parameters: readonly string[];
  /** Where a relative `chdir` starts from; absolute. */
  readonly directory: string;
}

/** What is to be started. Lines are those of the directives, undefined where there is none. */
export interface Launch {
  readonly file: string;
  /** As written, after substitution. */
  readonly program: string;
  readonly programLine: number;
  /** Never empty; the first is argv[0], by default the program as written. */
  readonly arguments: readonly [string, ...string[]];
  /** Absolute. */
  readonly directory: string;
  readonly directoryLine: number | undefined;
  readonly environment: ReadonlyMap<string, string>;
}

/**
 * Goes through the lines of a run file in order.
 *
 * @throws RunFileError for a variable or parameter that is not set, and an empty program or
 *   directory
 */
export function evaluateRunFile(runFile: RunFile, context: RunFileContext): Launch {
  const { file } = runFile;
  const environment = new Map([...context.inherited, ...context.facts]);
  let program = '';
  let programLine = 0;
  let { directory } = context;
  let directoryLine: number | undefined;
  const argv: string[] = [];

  for (const directive of runFile.directives) {
    const { keyword, line } = directive;
    const value = (): string => valueOf(directive, file, environment, context.parameters);
    switch (keyword) {
      case 'program':
        program = notEmpty(value(), directive, file);
        programLine = line;
        break;
      case 'argument':
        argv.push(value());
        break;
      case 'chdir':
        directory = resolve(directory, notEmpty(value(), directive, file));
        directoryLine = line;
        break;
      case 'setenv':
        environment.set(directive.name, value());
        break;
      case 'unsetenv':
        environment.delete(directive.name);
        break;
      case 'clearenv':
        environment.clear();
        for (const [name, fact] of context.facts) environment.set(name, fact);
        break;
    }
  }
  const [argument0 = program, ...rest] = argv;
  return {
    file,
    program,
    programLine,
    arguments: [argument0, ...rest],
    directory,
    directoryLine,
    environment,
  };
}

/** Whether some line has a parameter or variable in it that is looked for. */
export function runFileUses(
  runFile: RunFile,
  wanted: { readonly parameter: number } | { readonly variables: ReadonlySet<string> },
): boolean {
  return runFile.directives.some(
    (directive) =>
      'value' in directive &&
      directive.value.some((piece) => {
        if (typeof piece === 'string') return false;
        if ('parameter' in piece)
          return 'parameter' in wanted && piece.parameter === wanted.parameter;
        return 'variables' in wanted && wanted.variables.has(piece.variable);
      }),
  );
}

function valueOf(
  directive: Directive,
  file: string,
  environment: ReadonlyMap<string, string>,
  parameters: readonly string[],
): string {
  if (!('value' in directive)) return '';
  try {
    return fillIn(directive.value, { environment, parameters });
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    throw new RunFileError(file, directive.line, `${directive.keyword}: ${error.message}`);
  }
}

function notEmpty(value: string, { line, keyword }: Directive, file: string): string {
  if (value !== '') return value;
  throw new RunFileError(file, line, `${keyword}: the value is empty`);
}
