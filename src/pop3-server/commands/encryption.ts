// STLS. RFC 2595 §4.

import { error, type Outcome } from './outcome.js';
import type { Authorization } from './session-state.js';
import type { SessionContext } from './session-context.js';

export function stls(_: null, _state: Authorization, { link }: SessionContext): Outcome {
  if (link.tlsVersion !== null) return error('tls-already');
  return link.canStartTls ? { kind: 'start-tls' } : error('no-tls');
}
