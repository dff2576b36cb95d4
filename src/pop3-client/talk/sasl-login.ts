// AUTH: the SASL mechanisms of src/auth/ in POP3's exchange. RFC 5034.

import type { TLSSocket } from 'node:tls';
import {
  plainClient,
  SaslServerError,
  scramClient,
  type ClientBinding,
  type SaslClient,
} from '../../auth/mechanisms/sasl-client.js';
import { formatCommandLine } from '../../wire/command-line.js';
import type { Response } from '../../wire/response.js';
import type { Pop3Client } from './client.js';
import { LostStep, Refused } from '../settings/failures.js';

/** More challenges than any mechanism has. */
const maxChallenges = 8;
/**
 * RFC 5034 §4: the initial response goes with the command while the line stays within 255 octets.
 */
const maxAuthCommandOctets = 255;

export interface SaslLogin {
  readonly mechanism: 'plain' | 'scram-sha-256';
  readonly username: string;
  readonly password: Buffer;
  /** Where it goes; a longer one than fits the command goes after it anyway. */
  readonly initialResponse: 'with AUTH' | 'after AUTH';
  /** The mechanisms that the server announced, upper-cased. */
  readonly offered: readonly string[];
}

/**
 * Goes through the exchange.
 *
 * @returns the server's last word
 * @throws Refused when the server cannot prove that it knows the password; SaslCredentialsError
 *   when name or password cannot be used with the mechanism
 */
export async function authenticate(client: Pop3Client, login: SaslLogin): Promise<Response> {
  const sasl =
    login.mechanism === 'plain'
      ? plainClient(login)
      : scramClient({ ...login, binding: bindingFor(client.tls, login.offered) });
  try {
    return await exchange(client, sasl, login.initialResponse);
  } catch (error) {
    if (error instanceof SaslServerError) {
      throw new Refused(`${error.message}; it may not be the server it claims to be`);
    }
    throw error;
  }
}

/** Throws SaslServerError, and what the client throws. @returns the server's last word */
export async function exchange(
  client: Pop3Client,
  sasl: SaslClient,
  where: SaslLogin['initialResponse'],
): Promise<Response> {
  const initial = (await sasl.initialResponse()).toString('base64');
  const line = formatCommandLine('AUTH', sasl.name, initial);
  const isWithCommand = where === 'with AUTH' && line.length <= maxAuthCommandOctets;
  client.expectSilence();
  client.send(isWithCommand ? line : formatCommandLine('AUTH', sasl.name));
  for (let count = 0; count < maxChallenges; count += 1) {
    const reply = await client.replies.readSaslReply();
    if (reply.kind === 'response') {
      if (reply.response.isOk) sasl.finish();
      return reply.response;
    }
    client.expectSilence();
    // An empty first challenge asks for the initial response, also of a server that did not notice
    // it behind AUTH.
    const isAskedForInitial = count === 0 && reply.base64 === '';
    const answer = isAskedForInitial
      ? initial
      : (await sasl.respond(Buffer.from(reply.base64, 'base64'))).toString('base64');
    client.send(`${answer}\r\n`);
  }
  throw new LostStep('the server sends one challenge after another');
}

/** RFC 9266: tls-exporter needs TLS 1.3, where the handshake's secrets are bound to it. */
function bindingFor(tls: TLSSocket | null, offered: readonly string[]): ClientBinding {
  if (tls === null) return { kind: 'none' };
  if (!offered.includes('SCRAM-SHA-256-PLUS')) return { kind: 'not-offered' };
  if (tls.getProtocol() !== 'TLSv1.3') return { kind: 'none' };
  const data = tls.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0));
  return { kind: 'bound', type: 'tls-exporter', data };
}
