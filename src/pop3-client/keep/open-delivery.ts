// The delivery that the settings want, and the directory that it needs.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { checkMaildir, findPlacing } from '../../maildir/deliver.js';
import { StampSource } from '../../maildir/unique-name.js';
import { fileFailure } from '../../system/failures/file-failure.js';
import { makeReceiver } from '../deliver/make-receiver.js';
import type { Journal } from '../journal/journal.js';
import { accountTag } from '../journal/message-key.js';
import { reasonOf } from '../settings/failures.js';
import type { Settings } from '../settings/settings.js';
import { formatTmpName } from './delivered-name.js';
import type { Delivery } from './delivery.js';
import { HandOver } from './hand-over.js';
import { MaildirDelivery } from './maildir-delivery.js';

/**
 * Finds out whether messages can be kept in the directory at all. Where they go elsewhere, it is
 * made like a Maildir that stays empty but for what is on its way.
 *
 * @throws ConfigurationError, TemporaryError
 */
export function prepareDirectory({ maildir, delivery }: Settings): void {
  if (delivery.kind !== 'maildir') {
    try {
      for (const folder of ['tmp', 'new', 'cur']) {
        mkdirSync(join(maildir, folder), { recursive: true, mode: 0o700 });
      }
    } catch (error) {
      throw fileFailure(error, `cannot keep state in ${maildir}: ${reasonOf(error)}`);
    }
  }
  checkMaildir(maildir);
}

/**
 * @param signal ends what is being handed over when it aborts
 * @throws ConfigurationError, TemporaryError when there is nobody to hand over to
 */
export async function openDelivery(
  settings: Settings,
  journal: Journal,
  signal: AbortSignal,
): Promise<Delivery> {
  const { maildir, account, delivery } = settings;
  if (delivery.kind === 'maildir') {
    const name = formatTmpName(new StampSource().next(), accountTag(account), null, 'probe');
    return new MaildirDelivery({ maildir, account, journal, placing: findPlacing(maildir, name) });
  }
  const receiver = makeReceiver(delivery, settings, signal);
  await receiver.open();
  return new HandOver({ directory: maildir, account, journal, receiver });
}
