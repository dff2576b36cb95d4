// The states of a session. RFC 1939 §3. The maildrop exists in TRANSACTION only.

import type { Accepted } from '../../auth/accounts/authenticator.js';
import type { Maildrop } from '../../maildrop/messages/maildrop.js';

export interface Authorization {
  readonly name: 'AUTHORIZATION';
  /** What USER gave, bytes as latin1; PASS uses it up. */
  userName: string | null;
}

export interface Transaction {
  readonly name: 'TRANSACTION';
  readonly login: Login;
}

export type State = Authorization | Transaction;

/** A user who is logged in, and the maildrop that is open for them. */
export interface Login extends Accepted {
  /** For the log: USER, or a SASL mechanism's name. */
  readonly mechanism: string;
  readonly maildrop: Maildrop;
}
