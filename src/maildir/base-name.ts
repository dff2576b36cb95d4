// Names of Maildir messages: base name, info, flags, sizes in the name. maildir(5). Info begins
// with a colon and a version, 2 or 1. Where names may hold no colon, programs write `;` or `!` in
// its place. Names are bytes; here they are latin1 strings, one character a byte, and turned back
// for system calls.

const [digit1, digit2, zero, nine] = [0x31, 0x32, 0x30, 0x39];
const [comma, fullStop, letterM] = [0x2c, 0x2e, 0x4d];
const [colon, semicolon, exclamationMark] = [0x3a, 0x3b, 0x21];

/**
 * The part of a name before its info: it stays the same when flags change. A colon that begins no
 * info is a part of it. May be empty.
 */
export function baseNameOf(name: string): string {
  return name.slice(0, infoStartOf(name));
}

/** The flags in the name, e.g. `FS`; empty when it has no info of version 2. */
export function flagsOf(name: string): string {
  const at = infoStartOf(name);
  return name.charCodeAt(at + 1) === digit2 ? name.slice(at + 3) : '';
}

/**
 * Where the info begins; the name's length when there is none. Written out, because it is asked for
 * every message at login.
 */
function infoStartOf(name: string): number {
  for (let at = name.indexOf(',', 2); at !== -1; at = name.indexOf(',', at + 1)) {
    const version = name.charCodeAt(at - 1);
    if (version !== digit2 && version !== digit1) continue;
    const separator = name.charCodeAt(at - 2);
    if (separator === colon || separator === semicolon || separator === exclamationMark) {
      return at - 2;
    }
  }
  return name.length;
}

/** The name with a flag added in its place: flags stand in ASCII order. */
export function withFlag(name: string, flag: string): string {
  const flags = flagsOf(name);
  if (flags.includes(flag)) return name;
  const at = infoStartOf(name);
  const separator = name.charAt(at) || ':';
  return `${name.slice(0, at)}${separator}2,${`${flags}${flag}`.split('').sort().join('')}`;
}

/**
 * The base name without `,S=…` and `,W=…`, which say sizes and may be added later by other
 * programs.
 */
export function withoutSizes(baseName: string): string {
  return baseName.includes('=') ? baseName.replace(/,[SW]=[0-9]+/g, '') : baseName;
}

/** An empty file is `,W=0` for some, and nobody sends it so. */
const fewestOctets = 2;

/**
 * The octets that `,W=` in the base name promises: file size with CRLF line ends.
 *
 * @returns null when it says none, fewer than any message has, or more than 2^53
 */
export function wireOctetsIn(baseName: string): number | null {
  const at = baseName.indexOf(',W=');
  if (at === -1) return null;
  const digits = /^[0-9]{1,15}(?=,|$)/.exec(baseName.slice(at + 3));
  const octets = digits === null ? 0 : Number(digits[0]);
  return octets < fewestOctets ? null : octets;
}

/** When the message was delivered, for ordering. */
export interface DeliveryTime {
  /** Seconds at the start of the name; Infinity when it starts with no number. */
  readonly seconds: number;
  /** The `M` part; 0 when there is none. */
  readonly microseconds: number;
}

const maxSecondsDigits = 15;
const maxMicrosecondsDigits = 9;

/**
 * Reads the time out of a name like `1700000000.M123456P1.host`. Written out, because it is done
 * for every message at login.
 */
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
