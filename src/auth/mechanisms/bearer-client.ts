// The client's side of SASL with an OAuth 2 access token: OAUTHBEARER (RFC 7628) and XOAUTH2, which
// Google made before it and Microsoft has alone. Octets only, as in sasl-client.ts.

import { SaslCredentialsError, SaslServerError, type SaslClient } from './sasl-client.js';

export type BearerMechanism = 'OAUTHBEARER' | 'XOAUTH2';

export interface BearerCredentials {
  readonly username: string;
  /** An access token: RFC 6750 §2.1 (b64token). */
  readonly token: string;
  /** The server's name and port, as the client knows them. */
  readonly host: string;
  readonly port: number;
}

/** What a server says of a token that it refuses, in a challenge. RFC 7628 §3.2.2. */
export interface BearerRefusal {
  /** `invalid_token`, `insufficient_scope` …, or for XOAUTH2 a status of HTTP such as `401`. */
  readonly status: string;
  /** The scope that a token needs; null where the server does not tell. */
  readonly scope: string | null;
}

export interface BearerClient extends SaslClient {
  /** Null while the server has refused nothing. */
  readonly refusal: BearerRefusal | null;
}

export function bearerClient(
  mechanism: BearerMechanism,
  credentials: BearerCredentials,
): BearerClient {
  return new Bearer(mechanism, credentials);
}

class Bearer implements BearerClient {
  readonly name: BearerMechanism;
  readonly #credentials: BearerCredentials;
  #refusal: BearerRefusal | null = null;

  constructor(mechanism: BearerMechanism, credentials: BearerCredentials) {
    this.name = mechanism;
    this.#credentials = credentials;
  }

  get refusal(): BearerRefusal | null {
    return this.#refusal;
  }

  initialResponse(): Promise<Buffer> {
    const { username, token, host, port } = this.#credentials;
    if (/[\0-\x1f]/.test(username)) {
      return Promise.reject(new SaslCredentialsError('the user name holds control characters'));
    }
    const text =
      this.name === 'XOAUTH2'
        ? `user=${username}\x01auth=Bearer ${token}\x01\x01`
        : `n,a=${formatSaslName(username)},\x01host=${host}\x01port=${port}\x01auth=Bearer ${token}\x01\x01`;
    return Promise.resolve(Buffer.from(text));
  }

  /** The only challenge there is says why the token was refused; its answer ends the exchange. */
  respond(challenge: Buffer): Promise<Buffer> {
    if (this.#refusal !== null) {
      return Promise.reject(new SaslServerError('the server goes on after it refused the token'));
    }
    this.#refusal = parseRefusal(challenge);
    // RFC 7628 §3.2.3; for XOAUTH2 an empty line.
    return Promise.resolve(this.name === 'XOAUTH2' ? Buffer.alloc(0) : Buffer.from([1]));
  }

  finish(): void {
    if (this.#refusal === null) return;
    throw new SaslServerError('the server accepts a token that it has just refused');
  }
}

/** RFC 5802 §5.1 (saslname), which RFC 7628 §3.1 takes over. */
function formatSaslName(name: string): string {
  return name.replace(/=/g, '=3D').replace(/,/g, '=2C');
}

/** Whatever a server sends is a refusal; one that is no JSON object has no status. */
function parseRefusal(challenge: Buffer): BearerRefusal {
  let parsed: unknown;
  try {
    parsed = JSON.parse(challenge.toString('utf8'));
  } catch {
    return { status: '', scope: null };
  }
  const { status, scope } = (parsed ?? {}) as Record<string, unknown>;
  return {
    status: typeof status === 'string' || typeof status === 'number' ? String(status) : '',
    scope: typeof scope === 'string' && scope !== '' ? scope : null,
  };
}
