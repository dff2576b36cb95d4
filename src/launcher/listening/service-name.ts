// Port numbers and names, as on command lines.

import { readTextFile, TextFileError } from '../../system/files/text-file.js';
import { tryWholeNumber } from '../../system/program/options.js';
import { ConfigurationError } from '../../system/failures/failures.js';

const maxFileBytes = 4 << 20;

/** IANA's numbers, for small containers without /etc/services. */
const wellKnown: ReadonlyMap<string, number> = new Map([
  ['pop3', 110],
  ['pop3s', 995],
]);

/**
 * The number of a TCP port.
 *
 * @param port decimal 0…65535, or a name or alias in the services file
 * @throws ConfigurationError for a number out of range or an unknown name
 */
export function parsePort(port: string, servicesFile = '/etc/services'): number {
  const number = /^[0-9]+$/.test(port)
    ? tryWholeNumber(port, 0, 65_535)
    : (tryServicePort(port, servicesFile) ?? wellKnown.get(port) ?? null);
  if (number !== null) return number;
  throw new ConfigurationError(
    `port "${port}" is neither a number from 0 to 65535 nor a TCP service in ${servicesFile}`,
  );
}

function tryServicePort(name: string, servicesFile: string): number | null {
  let text;
  try {
    text = readTextFile(servicesFile, maxFileBytes);
  } catch (error) {
    if (error instanceof TextFileError) return null;
    throw error;
  }
  for (const line of text.split('\n')) {
    const [service, port = '', ...aliases] = line.replace(/#.*/, '').trim().split(/\s+/);
    const [, digits] = /^([0-9]+)\/tcp$/.exec(port) ?? [];
    if (digits !== undefined && (service === name || aliases.includes(name))) {
      return tryWholeNumber(digits, 1, 65_535);
    }
  }
  return null;
}
