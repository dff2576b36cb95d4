// What a command line means: settings, checked and complete.

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { createSecureContext } from 'node:tls';
import { domainToASCII } from 'node:url';
import type { Pop3getCommandLine } from './option-table.js';
import { readDelivery, readDirectory } from './read-delivery.js';
import { readProxy } from './read-proxy.js';
import type {
  AuthMode,
  LocationSettings,
  Secret,
  Settings,
  TlsMode,
  TlsTrust,
} from './settings.js';
import { ConfigurationError, UsageError } from '../../system/failures/failures.js';
import { systemWords } from '../../system/failures/system-words.js';
import { describeTlsFailure } from '../../system/tls/tls-failure.js';

/**
 * Makes settings of a command line.
 *
 * @param secret from wherever it came
 * @throws UsageError, ConfigurationError naming the option or variable that is wrong
 */
export async function readSettings(
  { options, positionals }: Pop3getCommandLine,
  secret: Secret,
  environment: NodeJS.ProcessEnv,
): Promise<Settings> {
  const [words = '', user = ''] = positionals;
  checkWord('the domain', words);
  const domain = options.byip === true ? words : readDomain(words);
  checkWord('the username', user);
  if (secret.kind === 'password') checkOctets('the password', secret.password);
  const auth = (options.auth ?? 'auto') as AuthMode;
  checkAuth(auth, secret);
  const location: LocationSettings = {
    domain: toAscii(domain),
    byAddress: options.byip ?? false,
    // Whoever goes through a proxy may not want DNS, or whoever listens, to know where to.
    srvSelf: options.srv_self ?? options.proxy === undefined,
    srvSuperdomains: options.srv_superdomains ?? false,
    implicit: options.implicit ?? true,
    families: options.ip6addr === false ? [4] : [6, 4],
    port: options.port ?? null,
    tls: (options.tls ?? 'auto') as TlsMode,
    dnsServers: readDnsServers(options['dns-server']),
  };
  const { keep = false } = options;
  const delivery = readDelivery(options, secret);
  const isByCa = location.tls !== 'off' && options['tls-fingerprint'] === undefined;
  return {
    location,
    localAddress: options.clientip === true ? readClientAddress(environment) : null,
    localPort: options.clientport === true ? readClientPort(environment) : null,
    proxy: readProxy(options.proxy),
    trust: {
      roots:
        isByCa && environment['SSL_CERT_FILE'] !== ''
          ? await readCertificates('SSL_CERT_FILE', environment['SSL_CERT_FILE'])
          : null,
      ca: await readCertificates('--tls-ca', options['tls-ca']),
      fingerprint: readFingerprint(options['tls-fingerprint']),
      own: await readOwnCertificate(options['tls-cert'], options['tls-key']),
    },
    // Gmail's own prefix: https://support.google.com/mail/answer/7104828
    user: options.recent === true ? `recent:${user}` : user,
    ...{ secret, auth },
    account: options.account ?? `${user}@${domain.toLowerCase().replace(/\.$/, '')}`,
    delivery,
    maildir: readDirectory(options, delivery, environment),
    keep: keep !== false,
    keepSeconds: typeof keep === 'string' ? Number.parseInt(keep, 10) * 86_400 : null,
    maxOctets: options.limit ?? 268_435_456,
    timeoutMs: (options.timeout ?? 60) * 1000,
  };
}

function checkAuth(auth: AuthMode, { kind }: Secret): void {
  const isForToken = auth === 'oauthbearer' || auth === 'xoauth2';
  if (auth === 'auto' || isForToken === (kind === 'token')) return;
  throw new UsageError(
    isForToken
      ? `--auth ${auth} needs an access token: give --token-command or --token-file`
      : `--auth ${auth} needs a password, not an access token`,
  );
}

/**
 * The domain out of what people write: blanks around it and brackets around an IPv6 address mean
 * nothing. A port, a URL or a user in it has an option or argument of its own, and the error says
 * which.
 */
function readDomain(text: string): string {
  const [, scheme, user, bracketed, name = '', port] =
    /^(?:([a-z0-9+.-]+):\/\/)?(?:(.*)@)?(?:\[([^\]]*)\]|([^[\]]*?))(?::([0-9]+))?\/?$/is.exec(
      text.trim(),
    ) ?? [];
  const host = bracketed ?? name;
  if (isIP(text.trim()) !== 0) return text.trim();
  if (isIP(host) === 0 && (bracketed !== undefined || !/^[^\s:/?#\\[\]@]+$/.test(host))) {
    throw new UsageError(`"${text}" is neither a domain name nor an address`);
  }
  if (scheme === undefined && user === undefined && port === undefined) return host;
  const options = [
    ...(/^pop3?s$/i.test(scheme ?? '') ? ['--tls implicit'] : []),
    ...(port === undefined ? [] : [`--port ${port}`]),
  ];
  throw new UsageError(
    `the domain must be a name or an address alone, not "${text}": ` +
      `write ${[...options, host, user ?? 'USERNAME'].join(' ')}`,
  );
}

/**
 * An internationalized name as DNS, TLS and trace fields have it: RFC 5890 §2.3.2.1 (A-label), RFC
 * 6066 §3.
 */
function toAscii(domain: string): string {
  if (/^[\0-\x7f]*$/.test(domain)) return domain;
  const ascii = domainToASCII(domain);
  if (ascii === '') throw new UsageError(`"${domain}" is no domain name`);
  return ascii;
}

function checkWord(what: string, text: string): void {
  if (text.includes('\ufffd')) throw new UsageError(`${what} holds octets that are not UTF-8`);
  checkOctets(what, Buffer.from(text));
}

function checkOctets(what: string, octets: Buffer): void {
  if (octets.length === 0) throw new UsageError(`${what} is empty`);
  if (/[\r\n\0]/.test(octets.toString('latin1'))) {
    throw new UsageError(`${what} holds a line end or NUL`);
  }
  if (octets.length > 512) throw new UsageError(`${what} is longer than 512 octets`);
}

function readDnsServers(text: string | undefined): readonly string[] | null {
  if (text === undefined) return null;
  const servers = text.split(',').map((server) => server.trim());
  for (const server of servers) {
    const address =
      /^\[(.+)\](?::[0-9]{1,5})?$/.exec(server)?.[1] ??
      server.replace(/(?<=^[^:]*):[0-9]{1,5}$/, '');
    if (isIP(address) === 0) {
      throw new UsageError(`option --dns-server needs ADDRESS[:PORT], not "${server}"`);
    }
  }
  return servers;
}

function readClientAddress(environment: NodeJS.ProcessEnv): string {
  const address = environment['CLIENTIP'] ?? '';
  if (isIP(address) !== 0) return address;
  throw new ConfigurationError(`--clientip: CLIENTIP must be an address, not "${address}"`);
}

function readClientPort(environment: NodeJS.ProcessEnv): number {
  const text = environment['CLIENTPORT'] ?? '';
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : 0;
  if (port >= 1 && port <= 65_535) return port;
  throw new ConfigurationError(`--clientport: CLIENTPORT must be a port, not "${text}"`);
}

/** @param source the option or variable that names the file */
async function readCertificates(source: string, path: string | undefined): Promise<string | null> {
  if (path === undefined) return null;
  const text = await readFile(path, 'latin1').catch((error: unknown) => {
    throw new ConfigurationError(`${source}: ${path}: ${systemWords(error)}`);
  });
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]*(-----END CERTIFICATE-----)?/g) ?? [];
  if (blocks.length === 0) {
    throw new ConfigurationError(`${source}: ${path} holds no PEM certificate`);
  }
  // Node passes over what it cannot read; the list of a whole system is not read twice.
  const read = source === '--tls-ca' ? blocks : blocks.slice(0, 1);
  for (const [index, block] of read.entries()) {
    try {
      new X509Certificate(block);
    } catch {
      throw new ConfigurationError(
        `${source}: certificate ${index + 1} in ${path} cannot be read: it may be cut short`,
      );
    }
  }
  return text;
}

async function readOwnCertificate(
  certPath: string | undefined,
  keyPath: string | undefined,
): Promise<TlsTrust['own']> {
  if (certPath === undefined && keyPath === undefined) return null;
  if (certPath === undefined || keyPath === undefined) {
    throw new UsageError('--tls-cert and --tls-key go together');
  }
  const cert = await readCertificates('--tls-cert', certPath);
  const key = await readFile(keyPath, 'latin1').catch((error: unknown) => {
    throw new ConfigurationError(`--tls-key: ${keyPath}: ${systemWords(error)}`);
  });
  try {
    createPrivateKey(key);
  } catch {
    throw new ConfigurationError(
      `--tls-key: ${keyPath} holds no PEM key that can be read without a passphrase`,
    );
  }
  try {
    createSecureContext({ cert: cert ?? '', key });
  } catch (error) {
    throw new ConfigurationError(
      `--tls-key: ${keyPath} is no key for the certificate in ${certPath}: ${describeTlsFailure(error as Error)}`,
    );
  }
  return { cert: cert ?? '', key };
}

function readFingerprint(text: string | undefined): string | null {
  if (text === undefined) return null;
  const digits = text
    .replace(/^sha256:/i, '')
    .replace(/:/g, '')
    .toLowerCase();
  if (/^[0-9a-f]{64}$/.test(digits)) return digits;
  throw new UsageError('option --tls-fingerprint needs 64 hex digits, ":" between them or not');
}
