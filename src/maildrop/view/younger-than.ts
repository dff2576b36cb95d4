// The messages of the last days, for users who may see no others.

import { lstatSync } from 'node:fs';
import { deliveryTimeOf } from '../../maildir/base-name.js';
import { tinySteps, Turns } from '../../system/runtime/turns.js';
import type { LiveView } from './live-view.js';
import type { MaildirMessage } from './message-list.js';

const msPerDay = 86_400_000;

/**
 * A message is as old as its name says, which stays when it is copied or its flags change; one
 * whose name has no time is as old as its file.
 *
 * @param days 1 or more
 * @param nowMs as Date.now() has it
 * @returns those that are younger, in their order
 */
export async function youngerThan(
  days: number,
  view: LiveView,
  nowMs: number,
): Promise<readonly MaildirMessage[]> {
  const earliestMs = nowMs - days * msPerDay;
  const turns = new Turns(tinySteps);
  const younger: MaildirMessage[] = [];
  for (const message of view.messages) {
    if (deliveredMs(message, view) > earliestMs) younger.push(message);
    if (turns.isOver()) await turns.next();
  }
  return younger;
}

function deliveredMs(message: MaildirMessage, view: LiveView): number {
  const { seconds } = deliveryTimeOf(message.baseName);
  if (Number.isFinite(seconds)) return seconds * 1000;
  const stats = lstatSync(view.pathOf(message), { throwIfNoEntry: false });
  // One that was renamed since is shown: it is younger than a moment in one respect at least.
  return stats?.mtimeMs ?? Infinity;
}
