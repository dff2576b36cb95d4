// The lines of pop3get.*.journal, described in pop3get(1). Pure.

import type { Learned } from '../talk/experience.js';

/**
 * `storing`: about to be renamed into new, on file systems without link(2); the final name says
 * whether it was. `stored`: in the Maildir, durably. `doubtful`: stored, but the server did not
 * show that its replies were those to our commands. `handing`: about to be handed over, and nobody
 * knows what became of it while no later line says so. `returned`: it was not taken.
 * `imported`: another client fetched it, by its own account; nobody here has seen its content.
 */
export type RecordState = 'storing' | 'stored' | 'doubtful' | 'handing' | 'returned' | 'imported';

/** A message that is in the Maildir and may still be on the server. */
export interface StoredRecord {
  readonly state: RecordState;
  /** What `uniqueIdKey` gave; null when the server gave no usable unique-id. */
  readonly key: string | null;
  /** As in `MessageIdentity`. */
  readonly contentHash: string;
  /** As in `MessageIdentity`; null in records of earlier versions. */
  readonly topHash: string | null;
  /** The size that LIST gave, as text, up to 20 characters; null when it gave none. */
  readonly listedOctets: string | null;
  /**
   * `seconds.Mmicroseconds`: what the names in tmp and new start with. One account has each only
   * once.
   */
  readonly stamp: string;
}

export type JournalLine =
  | { readonly kind: 'header'; readonly account: string }
  /** A trusted TLS handshake was done for this account: never in clear again, unless asked for. */
  | { readonly kind: 'tls' }
  /** Of two records with one stamp the later one counts. */
  | { readonly kind: 'record'; readonly record: StoredRecord }
  /**
   * The session ended while this message was on its way: others are settled first. Each line counts
   * once more.
   */
  | { readonly kind: 'suspect'; readonly key: string }
  /** What worked with the server. The last one counts. */
  | { readonly kind: 'learned'; readonly learned: Learned };

const magic = 'pop3get-journal-1';

export function formatJournalLine(line: JournalLine): string {
  switch (line.kind) {
    case 'header':
      return `${magic} ${encodeURIComponent(line.account)}\n`;
    case 'tls':
      return 'tls\n';
    case 'record': {
      const { state, key, contentHash, topHash, listedOctets, stamp } = line.record;
      const top = topHash === null ? '' : `${topHash} `;
      return `${state} ${key ?? '-'} ${contentHash} ${listedOctets ?? '-'} ${top}${stamp}\n`;
    }
    case 'suspect':
      return `suspect ${line.key}\n`;
    case 'learned': {
      const { login, ...times } = line.learned;
      const { pipeliningFailedAt, utf8FailedAt, nextLoginAt } = times;
      const { method, offer } = login ?? { method: '-', offer: '-' };
      return `learned ${method} ${offer} ${pipeliningFailedAt ?? '-'} ${utf8FailedAt ?? '-'} ${nextLoginAt ?? '-'}\n`;
    }
  }
}

/**
 * Parses a line without its line end.
 *
 * @returns null for anything but a whole, well-formed line: it then says nothing
 */
export function parseJournalLine(text: string): JournalLine | null {
  const [word = '', ...values] = text.split(' ');
  const [first = ''] = values;
  if (word === magic && values.length === 1) {
    const account = tryDecode(first);
    return account === null ? null : { kind: 'header', account };
  }
  if (word === 'tls' && values.length === 0) return { kind: 'tls' };
  if (word === 'suspect' && values.length === 1 && isKey(first))
    return { kind: 'suspect', key: first };
  if (word === 'learned' && values.length === 5) return parseLearned(values);
  return isState(word) ? parseRecord(word, values) : null;
}

function parseLearned([method = '', offer = '', ...times]: readonly string[]): JournalLine | null {
  const isWhole =
    /^[!-~]{1,40}$/.test(method) &&
    /^(?:-|[0-9a-f]{16})$/.test(offer) &&
    times.every((time) => /^(?:-|[0-9]{1,12})$/.test(time));
  if (!isWhole) return null;
  const [pipeliningFailedAt = null, utf8FailedAt = null, nextLoginAt = null] = times.map((time) =>
    time === '-' ? null : Number(time),
  );
  const login = offer === '-' ? null : { method, offer };
  return { kind: 'learned', learned: { login, pipeliningFailedAt, utf8FailedAt, nextLoginAt } };
}

function parseRecord(state: RecordState, values: readonly string[]): JournalLine | null {
  const [key = '', contentHash = '', listedOctets = ''] = values;
  const topHash = values.length === 5 ? (values[3] ?? '') : null;
  const stamp = values.at(-1) ?? '';
  const isWhole =
    (values.length === 4 || values.length === 5) &&
    (key === '-' || isKey(key)) &&
    /^[0-9a-f]{64}$/.test(contentHash) &&
    /^[!-~]{1,20}$/.test(listedOctets) &&
    (topHash === null || isKey(topHash)) &&
    /^[0-9]{1,12}\.M[0-9]{6}$/.test(stamp);
  if (!isWhole) return null;
  const record: StoredRecord = {
    state,
    key: key === '-' ? null : key,
    contentHash,
    topHash,
    listedOctets: listedOctets === '-' ? null : listedOctets,
    stamp,
  };
  return { kind: 'record', record };
}

function isState(word: string): word is RecordState {
  return ['storing', 'stored', 'doubtful', 'handing', 'returned', 'imported'].includes(word);
}

function isKey(text: string): boolean {
  return /^[0-9a-f]{32}$/.test(text);
}

function tryDecode(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
