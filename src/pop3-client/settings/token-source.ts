// Where access tokens come from: a command, a file or the environment. They last an hour or so:
// each login asks anew, and once more when the server refuses one.

import { firstLineOfCommand, firstLineOfFile } from './first-line.js';
import { ConfigurationError, UsageError } from '../../system/failures/failures.js';

/** Microsoft's have up to 4 kB; a token may hold a list of groups. */
const maxOctets = 65_536;

/** Why a token is asked for. */
export type TokenOccasion = 'login' | 'refused';

export interface TokenSource {
  /** The option or variable, for errors. */
  readonly name: string;
  /**
   * @returns a token, perhaps the same as before
   * @throws ConfigurationError, TemporaryError; none has the token in its text
   */
  readonly read: (occasion: TokenOccasion, signal: AbortSignal) => Promise<string>;
}

export interface TokenPlaces {
  /** What the options are called: the beginning of their names, for errors. */
  readonly options: '--token' | '--gmail-token';
  readonly command: string | undefined;
  readonly file: string | undefined;
  /** POP3GET_TOKEN. */
  readonly environment: string | undefined;
}

/**
 * @returns null where no place is given
 * @throws UsageError for two
 */
export function tryTokenSource(places: TokenPlaces): TokenSource | null {
  const { options, command, file, environment } = places;
  if (command !== undefined && file !== undefined) {
    throw new UsageError(`give one of ${options}-command and ${options}-file`);
  }
  if (command !== undefined) {
    const option = `${options}-command`;
    return sourceOf(option, (occasion, signal) =>
      firstLineOfCommand(
        command,
        { option, maxOctets },
        {
          environment: { POP3GET_TOKEN_REFUSED: occasion === 'refused' ? '1' : undefined },
          signal,
        },
      ),
    );
  }
  if (file !== undefined) {
    const option = `${options}-file`;
    return sourceOf(option, () => firstLineOfFile(file, { option, maxOctets }));
  }
  if (environment === undefined || environment === '') return null;
  return sourceOf('POP3GET_TOKEN', () => Promise.resolve(Buffer.from(environment)));
}

function sourceOf(
  name: string,
  read: (occasion: TokenOccasion, signal: AbortSignal) => Promise<Buffer>,
): TokenSource {
  return {
    name,
    read: async (occasion, signal) => checkToken(name, await read(occasion, signal)),
  };
}

/** RFC 6750 §2.1 (b64token); what else some servers give has no blanks or controls either. */
function checkToken(name: string, octets: Buffer): string {
  const token = octets.toString('latin1').trim();
  if (token === '') throw new ConfigurationError(`${name} gave an empty line, no access token`);
  if (/^[!-~]+$/.test(token)) return token;
  throw new ConfigurationError(
    `${name} gave something that is no access token: its first line holds blanks or octets that a token cannot have`,
  );
}
