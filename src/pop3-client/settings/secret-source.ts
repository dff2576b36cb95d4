// Which secret a command line and an environment give: a password or access tokens.

import { UsageError } from '../../system/failures/failures.js';
import { readPassword } from './password-source.js';
import type { Pop3getCommandLine } from './option-table.js';
import type { Secret } from './settings.js';
import { tryTokenSource } from './token-source.js';

/**
 * As `takeSecret`, for one account of several: what is in the environment, or typed, would be for
 * none of them in particular.
 *
 * @throws UsageError also when there is none
 */
export async function readSecret(commandLine: Pop3getCommandLine): Promise<Secret> {
  const { options } = commandLine;
  const sources = ['password-file', 'password-command', 'token-file', 'token-command'] as const;
  if (sources.every((name) => options[name] === undefined)) {
    throw new UsageError(`how to log in is not said: give one of ${sources.join(', ')}`);
  }
  return takeSecret(commandLine, {});
}

/**
 * Takes the secret. What the command line names goes before the environment, and there a token
 * before a password. The variables are removed: no program that this one starts is to have them.
 *
 * @throws UsageError for more than one; what `readPassword` throws
 */
export async function takeSecret(
  { options, positionals }: Pop3getCommandLine,
  environment: NodeJS.ProcessEnv,
): Promise<Secret> {
  const { POP3GET_PASSWORD: password, POP3GET_TOKEN: token } = environment;
  delete environment['POP3GET_PASSWORD'];
  delete environment['POP3GET_TOKEN'];
  const [, , argument] = positionals;
  const file = options['password-file'];
  const command = options['password-command'];
  const isPasswordNamed = (file ?? command ?? argument) !== undefined;
  const source = tryTokenSource({
    options: '--token',
    command: options['token-command'],
    file: options['token-file'],
    environment: isPasswordNamed ? undefined : token,
  });
  if (source === null) {
    const sources = { file, command, argument, environment: password };
    return { kind: 'password', password: await readPassword(sources) };
  }
  if (isPasswordNamed) throw new UsageError('give a password or an access token, not both');
  return { kind: 'token', source };
}
