// Where mail is to go: `--deliver` and what belongs to it.

import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { UsageError } from '../../system/failures/failures.js';
import type { Pop3getCommandLine } from './option-table.js';
import type { DeliverySettings, HandOverSettings, Secret } from './settings.js';
import { tryTokenSource } from './token-source.js';

type Options = Pop3getCommandLine['options'];

const gmailBase = 'https://gmail.googleapis.com';

/** @throws UsageError naming the option that is wrong or missing */
export function readDelivery(options: Options, secret: Secret): DeliverySettings {
  const text = options.deliver ?? 'maildir';
  const { recipient = null } = options;
  if (recipient !== null) checkRecipient(recipient);
  const [, kind = '', rest = ''] = /^([a-z]+):?(.*)$/s.exec(text) ?? [];
  if (text === 'maildir') return { kind: 'maildir' };
  if (kind === 'lmtp') {
    if (recipient === null) throw new UsageError('--deliver lmtp needs --recipient');
    return { kind: 'lmtp', address: readLmtpAddress(rest), recipient };
  }
  if (kind === 'command' && rest.trim() !== '') return { kind, command: rest, recipient };
  if (kind === 'gmail') return readGmail(rest, options, secret);
  throw new UsageError(
    `option --deliver needs maildir, lmtp:HOST:PORT, lmtp:/SOCKET, command:COMMAND or gmail, not "${text}"`,
  );
}

/** Where messages are, or wait until they are handed over. */
export function readDirectory(
  { directory }: Options,
  { kind }: DeliverySettings,
  environment: NodeJS.ProcessEnv,
): string {
  if (directory !== undefined || kind === 'maildir') return resolve(directory ?? '.');
  const state = environment['XDG_STATE_HOME'] ?? '';
  return join(state.startsWith('/') ? state : join(homedir(), '.local', 'state'), 'pop3get');
}

function readLmtpAddress(text: string): Extract<HandOverSettings, { kind: 'lmtp' }>['address'] {
  if (text.startsWith('/')) return { kind: 'socket', path: text };
  const [, bracketed, name, digits = ''] =
    /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:/[\]]+)):([0-9]{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? name;
  const port = Number(digits);
  if (host !== undefined && port >= 1 && port <= 65_535) return { kind: 'tcp', host, port };
  throw new UsageError(`option --deliver needs lmtp:HOST:PORT or lmtp:/SOCKET, not "lmtp:${text}"`);
}

function readGmail(base: string, options: Options, secret: Secret): DeliverySettings {
  const source = tryTokenSource({
    options: '--gmail-token',
    command: options['gmail-token-command'],
    file: options['gmail-token-file'],
    environment: undefined,
  });
  const tokens = source ?? (secret.kind === 'token' ? secret.source : null);
  if (tokens === null) {
    throw new UsageError('--deliver gmail needs --gmail-token-command or --gmail-token-file');
  }
  if (
    base !== '' &&
    !/^(https:\/\/|http:\/\/(127\.[0-9.]+|localhost|\[::1\])[:/])/.test(`${base}/`)
  ) {
    throw new UsageError(`option --deliver: "${base}" must begin with https://`);
  }
  return { kind: 'gmail', base: (base === '' ? gmailBase : base).replace(/\/+$/, ''), tokens };
}

/** RFC 5321 §4.1.2; what ends a command or its argument is never in it. */
function checkRecipient(text: string): void {
  if (/^[!-;=?-~]{1,254}$/.test(text)) return;
  throw new UsageError(`option --recipient needs an address, not "${text}"`);
}
