// What is in the mailbox: the replies to LIST and UIDL, put together. RFC 1939 §5, §7. Believes as
// little as it can: sizes are hints, numbers that appear twice are nobody's.

import { formatCommandLine } from '../../wire/command-line.js';
import { parseUniqueIdListing } from '../../wire/listing.js';
import { parseMessageNumber } from '../../wire/message-number.js';
import { parseResponse, type Response } from '../../wire/response.js';
import type { Pop3Client } from './client.js';
import { LostStep, quoteServerText } from '../settings/failures.js';
import { TemporaryError } from '../../system/failures/failures.js';

/** A message on the server. */
export interface Entry {
  readonly number: number;
  /** The size as LIST worded it, at most 20 characters; null when it gave none. */
  readonly listedOctets: string | null;
  /**
   * The size when it is a plausible number, else 0; for progress, never for framing or allocation.
   */
  readonly expectedOctets: number;
  /** latin1. Null when the server gave none, or the same one to several messages. */
  readonly uniqueId: string | null;
}

export interface MailboxListing {
  readonly entries: readonly Entry[];
  /** Whether the server has UIDL, so that a unique-id that is not listed is gone. */
  readonly hasUniqueIds: boolean;
  /** Lines that were no listing, or named a number that others named as well. */
  readonly ignoredLines: number;
  /** Messages beyond what one run takes. */
  readonly isCut: boolean;
  /** The answer to UIDL for message 1; null when that was not asked. */
  readonly firstUniqueId: Response | null;
}

/** Messages in one run; more are for the next one. */
const maxEntries = 200_000;
const limits = { maxLineOctets: 512, maxOctets: 128 * 1024 * 1024 };

/**
 * Sends STAT, and when the server takes commands ahead also LIST, UIDL, and UIDL for message 1,
 * whose answer shows whether the server can be probed with it. `readMailbox` must follow.
 */
export function requestMailbox(client: Pop3Client, mayPipeline: boolean): void {
  const ahead = mayPipeline ? ['LIST', 'UIDL'].map((word) => formatCommandLine(word)) : [];
  if (mayPipeline) ahead.push(formatCommandLine('UIDL', 1));
  client.send(formatCommandLine('STAT') + ahead.join(''));
}

/**
 * Reads what `requestMailbox` asked for. STAT says whether there is anything: some servers answer
 * LIST of an empty mailbox with -ERR, or leave out the line that ends it. Throws as `readListing`.
 *
 * @param mayPipeline as `requestMailbox` was told
 */
export async function readMailbox(
  client: Pop3Client,
  mayPipeline: boolean,
): Promise<MailboxListing> {
  const { isOk, text } = await client.replies.readResponse();
  if (isOk && /^ *0+(?: |$)/.test(text)) {
    if (mayPipeline) await passOverEmptyListings(client);
    return {
      ...{ entries: [], hasUniqueIds: true, ignoredLines: 0, isCut: false, firstUniqueId: null },
    };
  }
  if (!mayPipeline) {
    client.expectSilence();
    client.send(formatCommandLine('LIST'));
  }
  return readListing(client, mayPipeline);
}

/** The replies to LIST, UIDL and UIDL 1, each with or without a line that ends it. */
async function passOverEmptyListings(client: Pop3Client): Promise<void> {
  let due = 3;
  for (let lines = 0; lines < 100; lines += 1) {
    const response = parseResponse(await client.replies.readLine());
    if (response === null) continue;
    due -= 1;
    if (due === 0 && !response.isOk) return;
    // A reply that may go on: the answer to another command shows where it ends.
    if (due === 0) client.send(formatCommandLine('NOOP'));
    if (due < 0) return;
  }
  throw new LostStep('the server sent more than it was asked for');
}

/**
 * Reads the replies to LIST, which was sent, and UIDL.
 *
 * @param mayPipeline whether UIDL and UIDL 1 were sent as well
 * @throws TemporaryError when LIST is refused, or UIDL for now; what the reader throws
 */
export async function readListing(
  client: Pop3Client,
  mayPipeline: boolean,
): Promise<MailboxListing> {
  const sizes = new Map<number, string | null>();
  let ignoredLines = 0;
  let isCut = false;
  const list = await client.replies.readResponse();
  if (!list.isOk) {
    throw new TemporaryError(
      `the server does not list the messages: ${quoteServerText(list.text)}`,
    );
  }
  const twice = new Set<number>();
  await client.replies.readLines(limits, (line) => {
    const [first = '', second = ''] = line.toString('latin1').split(/ +/);
    const number = parseMessageNumber(first);
    if (number === null) ignoredLines += 1;
    else if (sizes.has(number)) twice.add(number);
    else if (sizes.size < maxEntries) sizes.set(number, second.slice(0, 20) || null);
    else isCut = true;
  });
  if (!mayPipeline) {
    client.expectSilence();
    client.send(formatCommandLine('UIDL'));
  }
  const uniqueIds = new Map<number, string>();
  const uidl = await client.replies.readResponse();
  // To go on without unique-ids would be to fetch all that is here already.
  if (!uidl.isOk && ['SYS/TEMP', 'IN-USE'].includes(uidl.code ?? '')) {
    throw new TemporaryError(
      `the server does not list unique-ids now: ${quoteServerText(uidl.text)}`,
    );
  }
  if (uidl.isOk) {
    await client.replies.readLines(limits, (line) => {
      const listing = parseUniqueIdListing(line);
      if (listing === null) return;
      // A number with two unique-ids has none.
      if (uniqueIds.has(listing.number)) uniqueIds.set(listing.number, '');
      else if (sizes.has(listing.number)) uniqueIds.set(listing.number, listing.uniqueId);
    });
  }
  const firstUniqueId = mayPipeline ? await client.replies.readResponse() : null;
  for (const number of twice) sizes.delete(number);
  const counts = new Map<string, number>();
  for (const id of uniqueIds.values()) counts.set(id, (counts.get(id) ?? 0) + 1);
  const entries = [...sizes]
    .sort(([one], [other]) => one - other)
    .map(([number, listedOctets]): Entry => {
      const id = uniqueIds.get(number) ?? '';
      return {
        number,
        listedOctets,
        expectedOctets: /^[0-9]{1,15}$/.test(listedOctets ?? '') ? Number(listedOctets) : 0,
        uniqueId: id === '' || counts.get(id) !== 1 ? null : id,
      };
    });
  return {
    entries,
    hasUniqueIds: uidl.isOk,
    ignoredLines: ignoredLines + twice.size,
    isCut,
    firstUniqueId,
  };
}
