// TRANSACTION: STAT, LIST, RETR, DELE, NOOP, RSET, TOP, UIDL. RFC 1939 §5, §7. RETR and TOP find
// out for themselves what other programs removed; for the others the list was refreshed.

import type { Maildrop, MessageRecord } from '../../maildrop/messages/maildrop.js';
import { UnservableMessage } from '../../maildrop/messages/unservable-message.js';
import { knownOctets } from '../../maildrop/messages/octets.js';
import { formatScanListing, formatUniqueIdListing } from '../../wire/listing.js';
import { after } from '../../system/runtime/after.js';
import { indexOf, messageNumberAt, type MessageNumber } from '../../wire/message-number.js';
import type { TopArguments } from './arguments.js';
import type { SessionContext } from './session-context.js';
import { error, ok, type ErrorOutcome, type Outcome } from './outcome.js';
import type { Transaction } from './session-state.js';

export function stat(_: null, state: Transaction): Outcome | Promise<Outcome> {
  const { maildrop } = state.login;
  return after(maildrop.measureAll(), () => ok('status', totalsOf(maildrop)));
}

export function list(number: MessageNumber | null, state: Transaction): Outcome | Promise<Outcome> {
  const { maildrop } = state.login;
  if (number !== null) {
    const found = find(maildrop, number);
    if ('kind' in found) return found;
    return after(maildrop.measure(found), () =>
      // Counting may have found out that it is gone.
      found.status === 'present'
        ? ok('scan-listing', { number, octets: knownOctets(found.octets) })
        : error('message-deleted', { number }),
    );
  }
  return after(maildrop.measureAll(), () => ({
    kind: 'listing',
    text: 'listing',
    values: totalsOf(maildrop),
    lines: linesOf(maildrop, (listed, record) =>
      formatScanListing(listed, knownOctets(record.octets)),
    ),
  }));
}

export function uidl(number: MessageNumber | null, state: Transaction): Outcome | Promise<Outcome> {
  const { maildrop } = state.login;
  if (number !== null) {
    const found = find(maildrop, number);
    if ('kind' in found) return found;
    return after(maildrop.assignUniqueIds(), () =>
      ok('unique-id', { number, uniqueId: uniqueIdOf(found) }),
    );
  }
  return after(maildrop.assignUniqueIds(), () => ({
    kind: 'listing',
    text: 'unique-ids',
    lines: linesOf(maildrop, (listed, record) => formatUniqueIdListing(listed, uniqueIdOf(record))),
  }));
}

export function retr(number: MessageNumber, state: Transaction): Outcome {
  return message(number, null, state);
}

export function top({ number, bodyLines }: TopArguments, state: Transaction): Outcome {
  return message(number, bodyLines, state);
}

function message(number: MessageNumber, bodyLines: number | null, state: Transaction): Outcome {
  const { maildrop } = state.login;
  const found = find(maildrop, number);
  return 'kind' in found ? found : { kind: 'message', maildrop, record: found, number, bodyLines };
}

export function dele(
  number: MessageNumber,
  state: Transaction,
  context: SessionContext,
): Outcome | Promise<Outcome> {
  const { maildrop, grant } = state.login;
  const found = find(maildrop, number);
  if ('kind' in found) return found;
  if (grant.isReadOnly) return error('read-only', undefined, 'SYS/PERM');
  const waiting = maildrop.requireServable(found);
  const marked = (): Outcome => mark(found, number, context);
  if (waiting === undefined) return marked();
  return waiting.then(marked, (failure: unknown) => {
    if (!(failure instanceof UnservableMessage)) throw failure;
    return error('message-unreadable', { number }, 'SYS/PERM');
  });
}

function mark(record: MessageRecord, number: MessageNumber, context: SessionContext): Outcome {
  // Looking at the message may have found out that it is gone.
  if (record.status !== 'present') return error('message-deleted', { number });
  record.status = 'marked';
  context.messages?.noteMarked(record, number);
  return ok('deleted', { number });
}

export function noop(): Outcome {
  return ok('nothing');
}

/** RFC 1939 §5: unmarks what this session marked. What another program removed stays gone. */
export function rset(_: null, state: Transaction, context: SessionContext): Outcome {
  const { records } = state.login.maildrop;
  for (const record of records) {
    if (record.status === 'marked') record.status = 'present';
  }
  context.messages?.noteReset();
  return ok('reset', { count: presentCountOf(records) });
}

/** The messages that are listed: neither marked nor gone. */
export function presentCountOf(records: readonly MessageRecord[]): number {
  let count = 0;
  for (const { status } of records) if (status === 'present') count += 1;
  return count;
}

function totalsOf(maildrop: Maildrop): { readonly count: number; readonly octets: number } {
  let octets = 0;
  for (const record of maildrop.records) {
    if (record.status === 'present') octets += knownOctets(record.octets);
  }
  return { count: presentCountOf(maildrop.records), octets };
}

/** Reads the list while it is sent; numbers are not shifted by messages that are left out. */
function* linesOf(
  maildrop: Maildrop,
  format: (number: MessageNumber, record: MessageRecord) => string,
): Generator<string> {
  for (const [index, record] of maildrop.records.entries()) {
    if (record.status === 'present') yield format(messageNumberAt(index), record);
  }
}

function find(maildrop: Maildrop, number: MessageNumber): MessageRecord | ErrorOutcome {
  const record = maildrop.records[indexOf(number)];
  if (record === undefined) return error('no-such-message', { number });
  return record.status === 'present' ? record : error('message-deleted', { number });
}

function uniqueIdOf(record: MessageRecord): string {
  return record.uniqueId ?? '';
}
