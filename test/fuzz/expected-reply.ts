// What a model says that a reply must be, and whether octets of a session are just these replies, one after the other.

export type ExpectedReply =
  /** One status line that starts with these words. */
  | { readonly kind: 'status'; readonly begins: string }
  /** A positive status line that starts so, lines, and the terminator. Without a body any will do. */
  | { readonly kind: 'multiline'; readonly begins: string; readonly body?: string | undefined }
  /** A SASL challenge. RFC 5034 §4. */
  | { readonly kind: 'challenge' }
  /** Either: what a mechanism makes of a well-formed message is not for the model to know. */
  | { readonly kind: 'challenge-or-error' };

/** An expected reply and what it answers. */
export interface Expectation {
  readonly reply: ExpectedReply;
  /** The command line, or why a reply comes without one. */
  readonly to: string;
}

/**
 * Compares all that a session sent with what it should have.
 *
 * @param sent latin1, from the greeting to the end
 * @param isCutOff the peer left before the end: replies may be missing from the last one on
 * @returns what is wrong, or null
 */
export function findDifference(
  sent: string,
  expectations: readonly Expectation[],
  { isCutOff = false }: { readonly isCutOff?: boolean } = {},
): string | null {
  let at = 0;
  for (const { reply, to } of expectations) {
    const end = endOfReply(sent, at, reply);
    if (end === -1) {
      const rest = sent.slice(at);
      if (isCutOff && isBeginningOf(rest, reply)) return null;
      return `to ${excerpt(to)} ${describe(reply)} was expected, not ${excerpt(rest)}`;
    }
    at = end;
  }
  const rest = sent.slice(at);
  return rest === '' ? null : `nothing was expected after the last reply, not ${excerpt(rest)}`;
}

/** @returns where it ends, or -1 when something else is there */
function endOfReply(sent: string, at: number, reply: ExpectedReply): number {
  const lineEnd = sent.indexOf('\r\n', at);
  if (lineEnd === -1) return -1;
  const line = sent.slice(at, lineEnd);
  // RFC 2449 §4: at most 512 octets; and nothing in it that a terminal would obey.
  if (line.length > 510 || /[\x00-\x1f\x7f]/.test(line)) return -1;
  const next = lineEnd + 2;
  switch (reply.kind) {
    case 'status':
      return startsWithWords(line, reply.begins) ? next : -1;
    case 'challenge':
      return line.startsWith('+ ') ? next : -1;
    case 'challenge-or-error':
      return line.startsWith('+ ') || startsWithWords(line, '-ERR') ? next : -1;
    case 'multiline':
      return startsWithWords(line, reply.begins) ? endOfBody(sent, next, reply.body) : -1;
  }
}

function endOfBody(sent: string, from: number, body: string | undefined): number {
  if (body !== undefined) {
    return sent.startsWith(`${body}.\r\n`, from) ? from + body.length + 3 : -1;
  }
  if (sent.startsWith('.\r\n', from)) return from + 3;
  const at = sent.indexOf('\r\n.\r\n', from);
  return at === -1 ? -1 : at + 5;
}

function startsWithWords(line: string, words: string): boolean {
  return line === words || line.startsWith(`${words} `);
}

/** Whether a connection that broke may have left this much of it; a whole reply would have been found. */
function isBeginningOf(rest: string, reply: ExpectedReply): boolean {
  const begins = reply.kind === 'status' || reply.kind === 'multiline' ? reply.begins : '';
  const length = Math.min(rest.length, begins.length);
  return rest.slice(0, length) === begins.slice(0, length);
}

function describe(reply: ExpectedReply): string {
  switch (reply.kind) {
    case 'status':
      return `"${reply.begins}"`;
    case 'multiline':
      return `"${reply.begins}" with ${reply.body === undefined ? 'lines' : excerpt(reply.body)}`;
    case 'challenge':
    case 'challenge-or-error':
      return `a ${reply.kind}`;
  }
}

function excerpt(text: string): string {
  return text.length <= 200
    ? JSON.stringify(text)
    : `${JSON.stringify(text.slice(0, 200))} and ${text.length - 200} more`;
}
