// QUIT: out of AUTHORIZATION, or through UPDATE out of TRANSACTION. RFC 1939 §4, §6.
// The only place from which mail is removed.

import type { RemovalResult } from '../../maildrop/messages/maildrop.js';
import type { Outcome } from './outcome.js';
import type { SessionContext } from './session-context.js';
import type { Transaction } from './session-state.js';

export function quitAuthorization(): Outcome {
  return { kind: 'quit', isOk: true, text: 'logging-out', removedCount: 0 };
}

/** One reply, after the work: +OK if and only if every marked message is gone. */
export async function quitTransaction(
  _: null,
  state: Transaction,
  context: SessionContext,
): Promise<Outcome> {
  let result: RemovalResult;
  try {
    result = await state.login.maildrop.update();
  } catch (failure) {
    context.report('error', { error: (failure as Error).message });
    context.messages?.noteUpdateFailed((failure as Error).message);
    return {
      kind: 'quit',
      isOk: false,
      text: 'not-all-removed',
      code: 'SYS/TEMP',
      removedCount: 0,
    };
  }
  context.messages?.noteUpdate(result);
  const { failures } = result;
  const removedCount = result.removed.length;
  if (failures.length > 0) {
    const code = failures.every(({ error }) => isLasting(error)) ? 'SYS/PERM' : 'SYS/TEMP';
    return { kind: 'quit', isOk: false, text: 'not-all-removed', code, removedCount };
  }
  const text = removedCount === 0 ? 'logging-out' : 'messages-removed';
  return { kind: 'quit', isOk: true, text, values: { count: removedCount }, removedCount };
}

/**
 * Whether trying again will fail too, until somebody changes permissions or mounts. RFC 3206 §4.
 */
function isLasting(error: NodeJS.ErrnoException): boolean {
  return error.code === 'EACCES' || error.code === 'EPERM' || error.code === 'EROFS';
}
