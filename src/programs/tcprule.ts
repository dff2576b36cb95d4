#!/usr/bin/env node
// tcprule: lists, changes and asks the access rules of a running tcpsrun. tcprule(8).

import '../system/program/refuse-debugger.js';
import { existsSync } from 'node:fs';
import {
  AccessRules,
  AccessRulesError,
  badLevel,
  formatTarget,
  parseLevel,
} from '../launcher/rules/access-rules.js';
import { deleteRule, listRules, setRule } from '../launcher/rules/edit-rules.js';
import { NetworkError, parseNetwork, type Network } from '../launcher/rules/network.js';
import { readRulesText } from '../launcher/rules/rules-file.js';
import { exitCode, type ExitCode } from '../system/failures/exit-code.js';
import { runProgram } from '../system/program/program.js';
import { editFile } from '../system/files/edit-file.js';
import { ConfigurationError, TemporaryError, UsageError } from '../system/failures/failures.js';
import { systemWords } from '../system/failures/system-words.js';

type Run = (file: string, operands: readonly string[]) => ExitCode | Promise<ExitCode>;

/** How many operands each command has, and what it does. */
const commands: Readonly<Record<string, { readonly operands: number; readonly run: Run }>> = {
  list: { operands: 0, run: list },
  add: { operands: 2, run: add },
  delete: { operands: 1, run: remove },
  query: { operands: 1, run: query },
};

void runProgram(
  {
    name: 'tcprule',
    synopsis: 'FILE list|add ADDRESS[/PREFIX] LEVEL|delete ADDRESS[/PREFIX]|query ADDRESS[/PREFIX]',
    purpose: 'Edits and asks an access rules file, also while tcpsrun uses it.',
    options: {},
    positionals: [2, 4],
    makesFirst: true,
  },
  async ({ positionals: [file = '', word = '', ...operands] }) => {
    const command = Object.hasOwn(commands, word.toLowerCase())
      ? commands[word.toLowerCase()]
      : undefined;
    if (command === undefined) throw new UsageError(`unknown command "${word}"`);
    if (operands.length !== command.operands) {
      throw new UsageError(
        `${word} takes ${command.operands} more arguments, not ${operands.length}`,
      );
    }
    return command.run(file, operands);
  },
);

function list(file: string): ExitCode {
  for (const { target, level } of listRules(readValidText(file))) {
    process.stdout.write(`${formatTarget(target)} ${level}\n`);
  }
  return exitCode.ok;
}

async function add(
  file: string,
  [target = '', levelText = '']: readonly string[],
): Promise<ExitCode> {
  const network = formatTarget(parseTarget(target));
  const level = parseLevel(levelText);
  if (level === null) throw new UsageError(badLevel(levelText));
  await edit(file, (path) => setRule(existsSync(path) ? readValidText(path) : '', network, level));
  return exitCode.ok;
}

async function remove(file: string, [target = '']: readonly string[]): Promise<ExitCode> {
  const network = formatTarget(parseTarget(target));
  const isFound = await edit(file, (path) => deleteRule(readValidText(path), network));
  return isFound ? exitCode.ok : exitCode.no;
}

function query(file: string, [target = '']: readonly string[]): ExitCode {
  const network = parseTarget(target);
  const rules = AccessRules.parse(readValidText(file), file);
  const rule =
    network === 'default'
      ? rules.defaultRule
      : rules.lookUpNetwork(network.address, network.prefix);
  if (rule === null) return exitCode.no;
  process.stdout.write(`${file}:${rule.line}: ${formatTarget(rule.target)} ${rule.level}\n`);
  return exitCode.ok;
}

/**
 * A text of which every line is right: what is wrong already is not made worse.
 *
 * @throws AccessRulesError
 */
function readValidText(file: string): string {
  const text = readRulesText(file);
  AccessRules.parse(text, file);
  return text;
}

/** @throws ConfigurationError for what the system refuses for good, TemporaryError for the rest */
async function edit(file: string, change: (path: string) => string | null): Promise<boolean> {
  try {
    return await editFile(file, change);
  } catch (error) {
    if (
      error instanceof AccessRulesError ||
      error instanceof ConfigurationError ||
      error instanceof TemporaryError
    )
      throw error;
    const { code = '' } = error as NodeJS.ErrnoException;
    if (code === '') throw error;
    if (['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'EROFS'].includes(code)) {
      throw new ConfigurationError(`${file} cannot be changed: ${systemWords(error)}`);
    }
    throw new TemporaryError(`${file} was not changed: ${systemWords(error)}`);
  }
}

function parseTarget(text: string): Network | 'default' {
  try {
    return text.toLowerCase() === 'default' ? 'default' : parseNetwork(text);
  } catch (error) {
    if (error instanceof NetworkError) throw new UsageError(error.message);
    throw error;
  }
}
