// A question whose answer only a server in step can give. A server that does not byte-stuff lets a
// sender write replies into a message; asking for the unique-id of a message, which no sender
// knows, shows whether a reply is still the reply to its command. RFC 1939 §7 (UIDL), §5 (LIST).

import { formatCommandLine } from '../../wire/command-line.js';
import { parseUniqueIdListing } from '../../wire/listing.js';
import { parseResponse } from '../../wire/response.js';
import type { Pop3Client } from './client.js';
import { LostStep } from '../settings/failures.js';
import type { Entry, MailboxListing } from './listing.js';

/**
 * `NOOP` proves less: only that a status line came where one was due. For servers whose LIST takes
 * no number.
 */
export type ProbeKind = 'UIDL' | 'LIST' | 'NOOP';

export function formatProbe(kind: ProbeKind, entry: Entry): string {
  return kind === 'NOOP' ? formatCommandLine('NOOP') : formatCommandLine(kind, entry.number);
}

/**
 * What a reply to a probe shows: `in-step`; `unknown` for -ERR, as for a message that was expunged
 * meanwhile.
 *
 * @throws LostStep for any other answer
 */
export function judgeProbe(
  kind: ProbeKind,
  entry: Entry,
  reply: { readonly isOk: boolean; readonly text: string },
): 'in-step' | 'unknown' {
  if (kind === 'NOOP') return 'in-step';
  if (!reply.isOk) return 'unknown';
  const isExpected =
    kind === 'UIDL' ? sameUniqueId(reply.text, entry) : sameOctets(reply.text, entry);
  if (isExpected) return 'in-step';
  throw new LostStep('the server answers commands other than those it was asked');
}

function sameUniqueId(text: string, { number, uniqueId }: Entry): boolean {
  const listing = parseUniqueIdListing(Buffer.from(text, 'latin1'));
  return text.trimStart().startsWith(`${number} `) && listing?.uniqueId === uniqueId;
}

function sameOctets(text: string, { number, listedOctets }: Entry): boolean {
  const [first, second] = text.trim().split(/ +/);
  return first === String(number) && second?.slice(0, 20) === listedOctets;
}

/** Which probe fits a message: one that the server answers as it listed it. */
export function probeKindFor(entry: Entry, best: ProbeKind): ProbeKind {
  if (best === 'NOOP') return 'NOOP';
  return entry.uniqueId === null || best === 'LIST' ? 'LIST' : 'UIDL';
}

/**
 * Finds the best probe that a server knows, while it is certain to be in step.
 *
 * @param entry a message to ask for, if the listing did not ask for one already
 */
export async function chooseProbe(
  client: Pop3Client,
  entry: Entry,
  listing: MailboxListing,
): Promise<ProbeKind> {
  const [first] = listing.entries;
  const answer = listing.firstUniqueId;
  if (answer?.isOk === true) {
    if (first?.number === 1 && first.uniqueId !== null && isInStep('UIDL', first, answer)) {
      return 'UIDL';
    }
    await passOverWholeListing(client);
  }
  const hasUniqueId = listing.hasUniqueIds && entry.uniqueId !== null;
  for (const kind of hasUniqueId ? (['UIDL', 'LIST'] as const) : (['LIST'] as const)) {
    const reply = await client.exchange(kind, entry.number);
    if (isInStep(kind, entry, reply)) return kind;
    if (reply.isOk) await passOverWholeListing(client);
  }
  return 'NOOP';
}

function isInStep(
  kind: ProbeKind,
  entry: Entry,
  reply: { readonly isOk: boolean; readonly text: string },
): boolean {
  try {
    return judgeProbe(kind, entry, reply) === 'in-step';
  } catch {
    return false;
  }
}

/**
 * A server that ignores LIST's argument has sent the whole listing: its lines end where NOOP's
 * reply begins.
 */
async function passOverWholeListing(client: Pop3Client): Promise<void> {
  client.send(formatCommandLine('NOOP'));
  for (let lines = 0; lines < 400_000; lines += 1) {
    if (parseResponse(await client.replies.readLine()) !== null) return;
  }
  throw new LostStep('the server sent an endless listing');
}
