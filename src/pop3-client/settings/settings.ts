// What one run of pop3get is to do, checked and complete.

import type { TokenSource } from './token-source.js';

export interface TlsTrust {
  /** PEM certificates of CAs to trust in the place of Node's list; null for that list. */
  readonly roots: string | null;
  /** PEM certificates to trust besides; null for none. */
  readonly ca: string | null;
  /**
   * SHA-256 of the certificate that alone is trusted, 64 hex digits in lower case; null to verify
   * by CA and name.
   */
  readonly fingerprint: string | null;
  /** The client's own certificate and key, PEM; null for none. */
  readonly own: { readonly cert: string; readonly key: string } | null;
}

export type TlsMode = 'implicit' | 'stls' | 'off' | 'auto';
export type PasswordMode = 'user' | 'plain' | 'scram-sha-256' | 'apop';
export type TokenMode = 'oauthbearer' | 'xoauth2';
export type AuthMode = PasswordMode | TokenMode | 'auto';

/** What proves to the server who logs in. */
export type Secret =
  /** Octets in any encoding. */
  | { readonly kind: 'password'; readonly password: Buffer }
  | { readonly kind: 'token'; readonly source: TokenSource };

export interface LocationSettings {
  /** A name, or with `byAddress` addresses with ";" between them. */
  readonly domain: string;
  readonly byAddress: boolean;
  readonly srvSelf: boolean;
  readonly srvSuperdomains: boolean;
  readonly implicit: boolean;
  readonly families: readonly (4 | 6)[];
  /** Overrides the port that was found; null for the service's own. */
  readonly port: number | null;
  readonly tls: TlsMode;
  /** DNS servers to ask instead of the system's. */
  readonly dnsServers: readonly string[] | null;
}

/** A SOCKS5 proxy, which resolves the names of the servers that it connects to. */
export interface ProxySettings {
  readonly host: string;
  readonly port: number;
  /** UTF-8, 1 to 255 octets each; null: the proxy wants to know nobody. RFC 1929 §2. */
  readonly login: { readonly user: string; readonly password: string } | null;
}

/** Where mail goes. */
export type DeliverySettings = { readonly kind: 'maildir' } | HandOverSettings;

export type HandOverSettings =
  | {
      readonly kind: 'lmtp';
      readonly address:
        | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
        | { readonly kind: 'socket'; readonly path: string };
      readonly recipient: string;
    }
  | { readonly kind: 'command'; readonly command: string; readonly recipient: string | null }
  | { readonly kind: 'gmail'; readonly base: string; readonly tokens: TokenSource };

export interface Settings {
  readonly location: LocationSettings;
  /** What the connection is bound to here; null for the system's choice. */
  readonly localAddress: string | null;
  readonly localPort: number | null;
  /** What is connected to in the server's place; null for none. */
  readonly proxy: ProxySettings | null;
  readonly trust: TlsTrust;
  readonly user: string;
  readonly secret: Secret;
  readonly auth: AuthMode;
  /** The account's name for the journal. */
  readonly account: string;
  readonly delivery: DeliverySettings;
  /** Where messages are stored; when they go elsewhere, where they wait for that. */
  readonly maildir: string;
  /** Leave the mail on the server. */
  readonly keep: boolean;
  /** How long, once it is stored, with `keep`; null: for good. */
  readonly keepSeconds: number | null;
  /** The largest message that is fetched, in octets. */
  readonly maxOctets: number;
  readonly timeoutMs: number;
}
