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

const zero = 0x30;
const nine = 0x39;
const comma = 0x2c;
const fullStop = 0x2e;
const letterM = 0x4d;
const maxSecondsDigits = 15;
const maxMicrosecondsDigits = 9;

/** Reads the time out of a name like `1700000000.M123456P1.host`. Written out, because it is done for every message at login. */
export function deliveryTimeOf(baseName: string): DeliveryTime {
  const end = endOfDigits(baseName, 0, baseName.length);
  const secondsEnd = Math.min(end, maxSecondsDigits);
  return {
    seconds: secondsEnd === 0 ? Number.POSITIVE_INFINITY : numberIn(baseName, 0, secondsEnd),
    microseconds:
      end > 0 && baseName.charCodeAt(end) === fullStop ? microsecondsIn(baseName, end + 1) : 0,
  };
}

function microsecondsIn(baseName: string, from: number): number {
  for (let at = from; at < baseName.length; at += 1) {
    const code = baseName.charCodeAt(at);
    if (code === comma) return 0;
    if (code !== letterM) continue;
    const end = endOfDigits(baseName, at + 1, at + 1 + maxMicrosecondsDigits);
    if (end > at + 1) return numberIn(baseName, at + 1, end);
  }
  return 0;
}

function endOfDigits(text: string, from: number, limit: number): number {
  let at = from;
  for (; at < limit && at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code < zero || code > nine) break;
  }
  return at;
}

function numberIn(text: string, from: number, to: number): number {
  let value = 0;
  for (let at = from; at < to; at += 1) value = value * 10 + text.charCodeAt(at) - zero;
  return value;
}
