// Replays a group of inputs in one state and compares every reply, and what becomes of the mail, with the model.

import fc from 'fast-check';
import { defaultLimits } from '../../src/pop3-server/commands/service.js';
import { splitInto } from '../support/sessions/chunkings.js';
import type { Account } from './arbitrary-input.js';
import { findDifference } from './expected-reply.js';
import type { Lane } from './lanes.js';
import { runScript } from './scripted-session.js';
import { SessionModel } from './session-model.js';
import { runScriptInTls } from './tls-session.js';

export const account: Account = { address: 'ann@example.org', password: 'open sesame' };

export const messages = [
  'From: a@example.net\nSubject: one\n\nfirst\n.dot\n..two dots\n.\nlast\n',
  'Subject: two\r\n\r\nbody\r\n',
  'Subject: three\n\nthe last line has no end',
].map((text) => Buffer.from(text));

/** How inputs are put on the wire. */
export interface Delivery {
  /** Lengths of the pieces in turn; empty: all in one. */
  readonly cuts: readonly number[];
  readonly isSlow: boolean;
  /** Bad commands until the session ends: as by default, or more than any replay has. */
  readonly budget: 'default' | 'endless';
}

export const arbitraryDelivery: fc.Arbitrary<Delivery> = fc.record({
  cuts: fc.oneof(
    { withCrossShrink: true },
    { weight: 7, arbitrary: fc.constant([]) },
    { weight: 3, arbitrary: fc.array(cut(), { minLength: 5, maxLength: 5 }) },
  ),
  isSlow: fc.nat(19).map((draw) => draw === 19),
  budget: fc.constantFrom('endless', 'endless', 'endless', 'default'),
});

function cut(): fc.Arbitrary<number> {
  return fc.oneof(
    { weight: 3, arbitrary: fc.integer({ min: 1, max: 400 }) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 8 }) },
  );
}

const endless = { maxBadCommandsBeforeLogin: 1e9, maxBadCommandsAfterLogin: 1e9 };

/** Sends so much at most to one session. */
const longestScript = 200_000;

/**
 * Replays inputs one after the other in a state, in as many sessions as that takes.
 *
 * @returns what went wrong, or null
 * @throws Error when a session does not end
 */
export async function replay(
  inputs: readonly string[],
  lane: Lane,
  delivery: Delivery,
): Promise<string | null> {
  let at = 0;
  while (at < inputs.length) {
    const limits = { ...defaultLimits, ...(delivery.budget === 'endless' ? endless : {}) };
    const uniqueIds = messages.map((_, index) => `id-${index + 1}`);
    const isInTls = lane.isInTls ?? false;
    const model = new SessionModel({ ...account, ...limits, messages, uniqueIds, isInTls });
    let script = '';
    const injected = inputs[at] ?? '';
    const send = (octets: string): void => {
      model.feed(octets);
      script += octets.slice(0, octets.length - model.unfollowedOctets);
    };
    while (at < inputs.length && !model.isOver && script.length < longestScript) {
      // An input that is no whole line goes on with the next one.
      const entering = model.isInLine ? '' : lane.enter(model, account);
      if (entering === null) break;
      send(entering);
      // Entering may have been the one bad command too many; what follows is not answered then.
      send(inputs[at] ?? '');
      at += 1;
    }
    const difference = await compare(script, { model, delivery, injected });
    if (difference !== null) return difference;
  }
  return null;
}

interface Replayed {
  readonly model: SessionModel;
  readonly delivery: Delivery;
  /** Sent behind STLS, where there is TLS. */
  readonly injected: string;
}

async function compare(
  script: string,
  { model, delivery: { cuts, isSlow, budget }, injected }: Replayed,
): Promise<string | null> {
  const octets = Buffer.from(script, 'latin1');
  const run = {
    pieces: cuts.length === 0 ? [octets] : splitInto(octets, cuts),
    isSlow,
    messages,
    account,
    limits: budget === 'endless' ? endless : {},
  };
  const trace = await (model.isInTls ? runScriptInTls(run, injected) : runScript(run));
  const { removesMarked, marked, expectations } = model;
  const left = messages.filter((_, index) => !(removesMarked && marked.has(index + 1)));
  return (
    findDifference(trace.sent, expectations) ??
    (trace.faults.length === 0 ? null : `the session failed: ${trace.faults.join()}`) ??
    (trace.logoutCount === 1 ? null : `${trace.logoutCount} lines of logout`) ??
    (trace.contents.join('\0') === left.map((message) => message.toString('latin1')).join('\0')
      ? null
      : `${trace.contents.length} messages are left instead of ${left.length}`)
  );
}
