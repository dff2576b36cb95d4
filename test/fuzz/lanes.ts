// The states in which every input is replayed: how a session gets into each, and back into it after an input.

import type { SessionModel } from './session-model.js';
import type { Account } from './arbitrary-input.js';

export interface Lane {
  readonly name: string;
  /** Whether the session is in TLS, after STLS. */
  readonly isInTls?: boolean;
  /**
   * What to send so that the session, which the model follows, is in this state.
   *
   * @returns '' when it is, null when only a new session can be
   */
  readonly enter: (model: SessionModel, account: Account) => string | null;
}

const inAuthorization: Lane = {
  name: 'AUTHORIZATION',
  enter: (model) => {
    if (model.isLoggedIn) return null;
    const leaving = model.exchange === null ? '' : '*\r\n';
    return model.hasUser ? `${leaving}PASS no\r\n` : leaving;
  },
};

const inTransaction: Lane = {
  name: 'TRANSACTION',
  enter: (model, account) => logIn(model, account) ?? (model.marked.size === 0 ? '' : 'RSET\r\n'),
};

export const lanes: readonly Lane[] = [
  inAuthorization,
  {
    name: 'AUTHORIZATION after USER',
    enter: (model, account) => {
      if (model.isLoggedIn) return null;
      const leaving = model.exchange === null ? '' : '*\r\n';
      return model.hasUser ? leaving : `${leaving}USER ${account.address}\r\n`;
    },
  },
  { name: 'AUTH PLAIN waiting for a response', enter: inExchange('PLAIN', false) },
  { name: 'AUTH LOGIN waiting for the name', enter: inExchange('LOGIN', false) },
  { name: 'AUTH LOGIN waiting for the password', enter: inExchange('LOGIN', true) },
  { name: 'AUTH SCRAM-SHA-256 waiting', enter: inExchange('SCRAM-SHA-256', false) },
  inTransaction,
  {
    name: 'TRANSACTION after DELE',
    enter: (model, account) => {
      const isThere = model.marked.size === 1 && model.marked.has(1);
      const login = logIn(model, account);
      return `${login ?? ''}${isThere ? '' : 'RSET\r\nDELE 1\r\n'}`;
    },
  },
];

/** A handshake costs as much as some dozens of inputs, so that these are for a part of them only. */
export const tlsLanes: readonly Lane[] = [inAuthorization, inTransaction].map((lane) => ({
  ...lane,
  name: `${lane.name} in TLS`,
  isInTls: true,
}));

function inExchange(mechanism: string, hasName: boolean): Lane['enter'] {
  return (model, { address }) => {
    if (model.isLoggedIn) return null;
    const { exchange } = model;
    if (exchange?.mechanism === mechanism && (exchange.name !== null) === hasName) return '';
    const leaving = exchange === null ? '' : '*\r\n';
    const name = hasName ? `${Buffer.from(address).toString('base64')}\r\n` : '';
    return `${leaving}AUTH ${mechanism}\r\n${name}`;
  };
}

/** @returns null when it is logged in already */
function logIn(model: SessionModel, { address, password }: Account): string | null {
  if (model.isLoggedIn) return null;
  const leaving = model.exchange === null ? '' : '*\r\n';
  return `${leaving}USER ${address}\r\nPASS ${password}\r\n`;
}
