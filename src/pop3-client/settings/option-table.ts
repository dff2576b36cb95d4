// The options of pop3get, for the command line.

import { logOptionTable } from '../../system/program/log-options.js';
import type { CommandLine, OptionTable } from '../../system/program/options.js';
import type { AuthMode, TlsMode } from './settings.js';

const tlsModes = ['auto', 'implicit', 'stls', 'off'] as const satisfies readonly TlsMode[];
const authModes = [
  'auto',
  'scram-sha-256',
  'plain',
  'apop',
  'user',
  'oauthbearer',
  'xoauth2',
] as const satisfies readonly AuthMode[];

export const pop3getOptionTable = {
  config: { kind: 'text', value: 'FILE', help: 'run the accounts in FILE, all or those named' },
  'at-once': {
    kind: 'number',
    value: 'N',
    min: 1,
    max: 100,
    help: 'with --config: how many accounts at a time (default: 4)',
  },
  directory: {
    kind: 'text',
    value: 'DIR',
    help: 'the Maildir (default: the current directory), or where state is kept',
  },
  deliver: {
    kind: 'text',
    value: 'WHERE',
    help: 'maildir (default), lmtp:HOST:PORT, lmtp:/SOCKET, command:COMMAND or gmail',
  },
  recipient: { kind: 'text', value: 'ADDRESS', help: 'whom mail is delivered to by LMTP' },
  'gmail-token-command': {
    kind: 'text',
    value: 'COMMAND',
    help: 'as --token-command, for --deliver gmail',
  },
  'gmail-token-file': { kind: 'text', value: 'FILE', help: 'as --token-file, for --deliver gmail' },
  byip: { kind: 'flag', help: 'domain holds addresses, with ";" between them' },
  srv_self: { kind: 'flag', help: 'ask for SRV records of the name itself (default: on)' },
  srv_superdomains: { kind: 'flag', help: 'then for those of its parents (default: off)' },
  implicit: { kind: 'flag', help: 'finally try the name itself (default: on)' },
  ip6addr: { kind: 'flag', help: 'use IPv6 as well (default: on)' },
  clientip: { kind: 'flag', help: 'connect from the address in the environment: CLIENTIP' },
  clientport: { kind: 'flag', help: 'connect from the port in the environment: CLIENTPORT' },
  proxy: {
    kind: 'text',
    value: 'URL',
    help: 'connect through a SOCKS5 proxy: socks5://[USER:PASSWORD@]HOST[:PORT]',
  },
  port: { kind: 'number', value: 'PORT', min: 1, max: 65_535, help: "instead of the service's" },
  tls: {
    kind: 'text',
    value: 'MODE',
    choices: tlsModes,
    help: 'auto (default), implicit, stls or off',
  },
  'tls-ca': { kind: 'text', value: 'FILE', help: 'trust the PEM certificates in FILE too' },
  'tls-fingerprint': {
    kind: 'text',
    value: 'SHA256',
    help: 'trust the one certificate with this SHA-256, whatever its name',
  },
  'tls-cert': { kind: 'text', value: 'FILE', help: 'show the server this certificate (PEM)' },
  'tls-key': { kind: 'text', value: 'FILE', help: 'the key that goes with it (PEM)' },
  auth: {
    kind: 'text',
    value: 'METHOD',
    choices: authModes,
    help: 'auto (default: the strongest offered), scram-sha-256, plain, apop, user; with a token oauthbearer, xoauth2',
  },
  'password-file': { kind: 'text', value: 'FILE', help: 'its first line is the password' },
  'password-command': {
    kind: 'text',
    value: 'COMMAND',
    help: 'the first line that this shell command prints is the password',
  },
  'token-file': { kind: 'text', value: 'FILE', help: 'its first line is an OAuth 2 access token' },
  'token-command': {
    kind: 'text',
    value: 'COMMAND',
    help: 'the first line that this shell command prints is an access token: see pop3token',
  },
  account: {
    kind: 'text',
    value: 'NAME',
    help: 'what to call this mailbox in the journal (default: username@domain)',
  },
  keep: {
    kind: 'valued-flag',
    ...{ value: '[DAYS]', example: '30d' },
    pattern: /^[1-9][0-9]{0,4}d$/,
    help: 'leave the mail on the server, for 30d or for good, and never fetch a message twice',
  },
  recent: { kind: 'flag', help: 'Gmail: fetch the last 30 days, whatever others have fetched' },
  limit: {
    kind: 'number',
    value: 'OCTETS',
    min: 1,
    max: 1e12,
    help: 'the largest message to fetch (default: 268435456)',
  },
  timeout: {
    kind: 'number',
    value: 'S',
    min: 1,
    max: 86_400,
    help: 'how long the server may be silent (default: 60)',
  },
  'max-time': {
    kind: 'number',
    value: 'S',
    min: 1,
    max: 604_800,
    help: 'how long the whole run may take (default: 86400)',
  },
  'dns-server': {
    kind: 'text',
    value: 'ADDRESSES',
    env: 'POP3GET_DNS_SERVERS',
    help: 'ask these DNS servers, ADDRESS[:PORT] with "," between them',
  },
  'dry-run': { kind: 'flag', help: 'log in and say what would be done; do none of it' },
  json: { kind: 'flag', help: 'print a summary as one JSON object to stdout' },
  quiet: { kind: 'flag', help: 'say nothing unless something is wrong' },
  ...logOptionTable,
} as const satisfies OptionTable;

export type Pop3getCommandLine = CommandLine<typeof pop3getOptionTable>;
