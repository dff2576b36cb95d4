// Capability lines: a name and its parameters. RFC 2449 §5.

export interface Capability {
  /** Upper-cased, e.g. `RESP-CODES`. */
  readonly name: string;
  /** As announced; their case counts only where the capability says so. */
  readonly parameters: readonly string[];
}

export function formatCapability(name: string, ...parameters: readonly string[]): string {
  return [name, ...parameters].join(' ');
}

/** @returns null for an empty line */
export function parseCapability(line: Buffer): Capability | null {
  const [name, ...parameters] = line
    .toString('latin1')
    .split(' ')
    .filter((word) => word !== '');
  return name === undefined ? null : { name: name.toUpperCase(), parameters };
}
