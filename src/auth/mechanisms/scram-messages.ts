// The messages of SCRAM (RFC 5802 §7) as text, both directions: taken apart strictly, put together.
// Pure; no keys here.

import { isUtf8 } from 'node:buffer';
import { base64Pattern } from '../../wire/base64.js';

/**
 * What a client says about channel binding (RFC 5802 §6): it cannot, it could but thinks the server
 * cannot, it does.
 */
export type ChannelBindingFlag =
  | { readonly flag: 'n' }
  | { readonly flag: 'y' }
  /** `type` as in RFC 5056's registry, e.g. `tls-exporter`. */
  | { readonly flag: 'p'; readonly type: string };

export interface ClientFirst {
  readonly binding: ChannelBindingFlag;
  /** Who to act as; null: whoever logs in. */
  readonly authzid: string | null;
  readonly username: string;
  readonly nonce: string;
  /** `gs2-header`, with its two commas: part of what is bound. */
  readonly gs2Header: string;
  /** `client-first-message-bare`, part of what is signed. */
  readonly bare: string;
}

export interface ServerFirst {
  readonly nonce: string;
  readonly salt: Buffer;
  readonly iterations: number;
}

export interface ClientFinal {
  /** What the client bound: gs2-header and channel binding data. */
  readonly binding: Buffer;
  readonly nonce: string;
  readonly proof: Buffer;
  /** `client-final-message-without-proof`, part of what is signed. */
  readonly withoutProof: string;
}

/** Longest message looked at, in octets: a name, a nonce and channel binding data are far below. */
const maxMessageOctets = 4096;
const nonce = '[\\x21-\\x2b\\x2d-\\x7e]{1,512}';
const extensions = '(?:,[A-Za-z]=[^\\0,]+)*';

const clientFirstPattern = new RegExp(
  `^(?<header>(?<flag>n|y|p=(?<type>[A-Za-z0-9.-]+)),(?:a=(?<authzid>[^\\0,]+))?,)(?<bare>n=(?<username>[^\\0,]+),r=(?<nonce>${nonce})${extensions})$`,
  'u',
);
const serverFirstPattern = new RegExp(
  `^r=(?<nonce>${nonce}),s=(?<salt>${base64Pattern}),i=(?<iterations>[1-9][0-9]{0,9})${extensions}$`,
  'u',
);
const clientFinalPattern = new RegExp(
  `^(?<withoutProof>c=(?<binding>${base64Pattern}),r=(?<nonce>${nonce})${extensions}),p=(?<proof>${base64Pattern})$`,
  'u',
);

/**
 * Null when it is not one. An `m=` in front asks for what nobody defined, and is refused like that
 * (RFC 5802 §5.1).
 */
export function tryClientFirst(message: Buffer): ClientFirst | null {
  const groups = match(clientFirstPattern, message);
  if (groups === null) return null;
  const username = decodeName(groups['username'] ?? '');
  const authzid = groups['authzid'] === undefined ? null : decodeName(groups['authzid']);
  if (username === null || (authzid === null && groups['authzid'] !== undefined)) return null;
  const { flag, type } = groups;
  return {
    binding:
      type !== undefined ? { flag: 'p', type } : flag === 'y' ? { flag: 'y' } : { flag: 'n' },
    authzid,
    username,
    nonce: groups['nonce'] ?? '',
    gs2Header: groups['header'] ?? '',
    bare: groups['bare'] ?? '',
  };
}

export function tryServerFirst(message: Buffer): ServerFirst | null {
  const groups = match(serverFirstPattern, message);
  if (groups === null) return null;
  return {
    nonce: groups['nonce'] ?? '',
    salt: Buffer.from(groups['salt'] ?? '', 'base64'),
    iterations: Number(groups['iterations']),
  };
}

export function tryClientFinal(message: Buffer): ClientFinal | null {
  const groups = match(clientFinalPattern, message);
  if (groups === null) return null;
  return {
    binding: Buffer.from(groups['binding'] ?? '', 'base64'),
    nonce: groups['nonce'] ?? '',
    proof: Buffer.from(groups['proof'] ?? '', 'base64'),
    withoutProof: groups['withoutProof'] ?? '',
  };
}

/** The server's signature, or null for `e=…` and everything else. */
export function tryServerFinal(message: Buffer): Buffer | null {
  const groups = match(new RegExp(`^v=(?<signature>${base64Pattern})${extensions}$`, 'u'), message);
  return groups === null ? null : Buffer.from(groups['signature'] ?? '', 'base64');
}

/** `n,,`, `y,,` or `p=type,,`: nobody here asks to act as another user. */
export function formatGs2Header(binding: ChannelBindingFlag): string {
  return `${binding.flag === 'p' ? `p=${binding.type}` : binding.flag},,`;
}

export function formatClientFirstBare(username: string, clientNonce: string): string {
  return `n=${encodeName(username)},r=${clientNonce}`;
}

export function formatServerFirst({ nonce: both, salt, iterations }: ServerFirst): string {
  return `r=${both},s=${salt.toString('base64')},i=${iterations}`;
}

export function formatClientFinalWithoutProof(binding: Buffer, both: string): string {
  return `c=${binding.toString('base64')},r=${both}`;
}

/** RFC 5802 §3: what both sides sign. */
export function authMessage(
  clientFirstBare: string,
  serverFirst: string,
  clientFinal: string,
): string {
  return `${clientFirstBare},${serverFirst},${clientFinal}`;
}

function match(
  pattern: RegExp,
  message: Buffer,
): Readonly<Record<string, string | undefined>> | null {
  if (message.length > maxMessageOctets || !isUtf8(message)) return null;
  return pattern.exec(message.toString('utf8'))?.groups ?? null;
}

/** RFC 5802 §5.1, n: a comma is `=2C`, an equals sign `=3D`. */
function encodeName(name: string): string {
  return name.replaceAll('=', '=3D').replaceAll(',', '=2C');
}

/** Null for an `=` that starts neither. */
function decodeName(name: string): string | null {
  if (/=(?!2C|3D)/.test(name)) return null;
  return name.replaceAll('=2C', ',').replaceAll('=3D', '=');
}
