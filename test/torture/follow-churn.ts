// What the program churn says of its messages, as it says it.

import { EventEmitter, once } from 'node:events';
import type { Ledger } from './ledger.js';

/** Enters what churn prints in the ledger. */
export function follow(
  output: NodeJS.ReadableStream,
  ledger: Ledger,
): { readonly ready: Promise<unknown>; readonly end: Promise<number> } {
  const events = new EventEmitter();
  const ready = once(events, 'ready');
  const end = once(events, 'end').then(([operations]) => operations as number);
  // Whoever awaits them is told; the other one must not end the process.
  for (const promise of [ready, end]) promise.catch(() => undefined);
  let rest = '';
  output.setEncoding('latin1');
  output.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const [kind = '', number = '', time = '0'] = line.split(' ');
      if (kind === 'd') ledger.noteDelivery(Number(number), BigInt(time));
      else if (kind === 'x') ledger.noteRemoval(Number(number), BigInt(time));
      else events.emit(kind, Number(number));
    }
  });
  output.on('close', () => {
    if (events.listenerCount('end') > 0) events.emit('error', new Error('churn ended early'));
  });
  return { ready, end };
}
