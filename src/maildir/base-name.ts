// Names of Maildir messages: base name, info, flags, sizes in the name. maildir(5).
// Names are bytes; here they are latin1 strings, one character a byte, and turned back for system calls.

/** The part of a name before the first colon: it stays the same when flags change. May be empty. */
export function baseNameOf(name: string): string {
  const colon = name.indexOf(':');
  return colon === -1 ? name : name.slice(0, colon);
}

/** The flags in the name, e.g. `FS`; empty when there is no `:2,`. */
export function flagsOf(name: string): string {
  const at = name.indexOf(':2,');
  return at === -1 ? '' : name.slice(at + 3);
}

/** The name with a flag added in its place: flags stand in ASCII order. */
export function withFlag(name: string, flag: string): string {
  const flags = flagsOf(name);
  if (flags.includes(flag)) return name;
  return `${baseNameOf(name)}:2,${`${flags}${flag}`.split('').sort().join('')}`;
}

/** The base name without `,S=…` and `,W=…`, which say sizes and may be added later by other programs. */
export function withoutSizes(baseName: string): string {
  return baseName.includes('=') ? baseName.replace(/,[SW]=[0-9]+/g, '') : baseName;
}

/** The octets that `,W=` in the base name promises: file size with CRLF line ends. @returns null when it says none, or more than 2^53 */
export function wireOctetsIn(baseName: string): number | null {
  const at = baseName.indexOf(',W=');
  if (at === -1) return null;
  const digits = /^[0-9]{1,15}(?=,|$)/.exec(baseName.slice(at + 3));
  return digits === null ? null : Number(digits[0]);
}

/** When the message was delivered, for ordering. */
export interface DeliveryTime {
  /** Seconds at the start of the name; Infinity when it starts with no number. */
  readonly seconds: number;
  /** The `M` part; 0 when there is none. */
  readonly microseconds: number;
}

export function deliveryTimeOf(baseName: string): DeliveryTime {
  const seconds = /^[0-9]{1,15}/.exec(baseName);
  const microseconds = /^[0-9]+\.[^,]*?M([0-9]{1,9})/.exec(baseName);
  return {
    seconds: seconds === null ? Number.POSITIVE_INFINITY : Number(seconds[0]),
    microseconds: microseconds === null ? 0 : Number(microseconds[1]),
  };
}
