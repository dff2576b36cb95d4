// The SASL mechanisms that pop3get speaks, as steps without a connection. RFC 4616 (PLAIN).

import type { Credentials } from './login.js';
import { ScramExchange } from './scram-exchange.js';

export interface SaslExchange {
  readonly name: string;
  initialResponse(): Buffer;
  /** The answer to a challenge; null when the challenge shows that the server is not to be trusted. */
  answer(challenge: Buffer): Buffer | null;
  /** Whether a "+OK" may be believed now: the server has proved what the mechanism has it prove. */
  isComplete(): boolean;
}

export const saslMechanisms: Readonly<
  Record<'plain' | 'scram-sha-256', (credentials: Credentials) => SaslExchange>
> = {
  plain: ({ user, password }) => ({
    name: 'PLAIN',
    initialResponse: () => Buffer.from(`\0${user}\0${password}`),
    // PLAIN has one message; a server that asks for more gets what RFC 5034 §4 allows for nothing.
    answer: () => Buffer.alloc(0),
    isComplete: () => true,
  }),
  'scram-sha-256': (credentials) => new ScramExchange(credentials),
};
