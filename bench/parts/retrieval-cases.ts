// Which messages are retrieved and how.

import type { Contents } from '../mailstore.js';
import type { LineEnd } from '../message.js';
import type { Bench } from '../part.js';

export interface RetrievalCase {
  /** Who has the messages; cases with the same user have the same contents. */
  readonly user: string;
  readonly contents: Contents & { readonly lineEnd: LineEnd };
  readonly security: 'clear' | 'stls';
  /** How often the maildrop is retrieved, one session after the other. */
  readonly sessions: number;
  /** How many RETRs are on the way at a time. */
  readonly window: number;
  readonly unit: 'MB/s' | 'messages/s';
  /** How many times Dovecot's figure is asked for. */
  readonly goal?: number;
}

/** RETRs on the way when they are pipelined. */
const pipelined = 256;

const smallOctets = 1900;

const sizes = {
  full: { largeOctets: 5_000_000, total: 100_000_000, counts: [1000, 10_000, 100_000] },
  quick: { largeOctets: 500_000, total: 2_000_000, counts: [100, 1000] },
} as const;

/** The smaller ones come first, so that all code is warm when the goals are measured. */
export function retrievalCases(scale: Bench['scale']): readonly RetrievalCase[] {
  const { largeOctets, total, counts } = sizes[scale];
  const clear = { security: 'clear', unit: 'messages/s' } as const;
  const most = Math.max(...counts);
  const middle = counts[counts.length - 2] ?? most;
  const manySmall = counts.flatMap((messages) => {
    const sessions = Math.max(1, Math.ceil(middle / messages));
    const small = { ...clear, ...smallMessages(messages, 'LF'), sessions };
    const asked = messages === most ? ([1, 1.3] as const) : ([undefined, undefined] as const);
    return [
      { ...small, window: 1, ...goalOf(asked[0]) },
      { ...small, window: pipelined, ...goalOf(asked[1]) },
    ];
  });
  const otherSmall = variants.flatMap(({ lineEnd, security }) =>
    [1, pipelined].map((window) => ({
      ...smallMessages(middle, lineEnd),
      ...{ security, sessions: 1, window, unit: 'messages/s' as const },
    })),
  );
  const bySize = [largeOctets / 1000, largeOctets / 100, largeOctets / 10].map((octets) => ({
    ...largeMessages(octets, Math.min(2000, Math.ceil(total / octets)), 'LF'),
    ...{ security: 'clear' as const, sessions: 1 },
  }));
  const large = (lineEnd: LineEnd) => largeMessages(largeOctets, total / largeOctets, lineEnd);
  return [
    ...bySize,
    { ...large('LF'), security: 'clear', sessions: 5, goal: 2 },
    ...variants.map(({ lineEnd, security }) => ({ ...large(lineEnd), security, sessions: 2 })),
    ...otherSmall,
    ...manySmall,
  ];
}

/** Besides LF in the clear. */
const variants = [
  { lineEnd: 'CRLF', security: 'clear' },
  { lineEnd: 'LF', security: 'stls' },
  { lineEnd: 'CRLF', security: 'stls' },
] as const;

function smallMessages(messages: number, lineEnd: LineEnd) {
  return {
    user: `small-${messages}-${lineEnd.toLowerCase()}`,
    contents: { messages, octets: smallOctets, lineEnd },
  };
}

function largeMessages(octets: number, messages: number, lineEnd: LineEnd) {
  return {
    user: `large-${octets}-${lineEnd.toLowerCase()}`,
    contents: { messages, octets, lineEnd },
    window: 1,
    unit: 'MB/s' as const,
  };
}

function goalOf(goal: number | undefined): { readonly goal?: number } {
  return goal === undefined ? {} : { goal };
}
