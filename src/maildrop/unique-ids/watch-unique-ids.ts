// Warns when many messages have other unique-ids than in the last session: their clients download them again.
// Runs at the end of a session in which ids were asked for.

import type { Report } from '../octets/message-octets.js';
import { maxRemembered, tryReadRememberedIds, writeRememberedIds } from './remembered-ids.js';
import { areManyChanged, compareUniqueIds, type IdentifiedMessage } from './unique-id-changes.js';

/**
 * Compares the messages with those that were remembered, warns in one line, and remembers them when what is remembered is
 * no fair sample of them any more. A maildrop that changes little is not written to. Never rejects.
 *
 * @param inbox latin1 bytes
 * @param messages those that are left, with their ids
 */
export async function watchUniqueIds(
  inbox: string,
  messages: readonly IdentifiedMessage[],
  report: Report,
): Promise<void> {
  const remembered = tryReadRememberedIds(inbox);
  if (remembered !== null) {
    const comparison = await compareUniqueIds(remembered, messages);
    const { foundCount, changedCount, example } = comparison;
    if (areManyChanged(comparison, remembered.length)) {
      report('unique-ids-changed', {
        changed: changedCount,
        of: remembered.length,
        messages: messages.length,
        file: example?.now.baseName ?? '',
        before: example?.before.uniqueId ?? '',
        now: example?.now.uniqueId ?? '',
        why: why(foundCount),
      });
    }
    const isFairSample =
      changedCount === 0 &&
      foundCount * 4 >= remembered.length * 3 &&
      (remembered.length >= maxRemembered || messages.length <= remembered.length * 2);
    if (isFairSample) return;
  }
  try {
    await writeRememberedIds(inbox, messages);
  } catch {
    // A Maildir that cannot be written, or a full disk: then nothing is remembered, and nothing will be missed but a warning.
  }
}

function why(foundCount: number): string {
  return foundCount === 0
    ? 'the same octets under other names: the files were renamed or copied'
    : 'the same files: another --uidl, or the list of ids was made anew';
}
