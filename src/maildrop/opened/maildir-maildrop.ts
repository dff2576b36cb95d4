// A maildrop kept in a Maildir: octets, unique-ids, reading and removing on top of the live view.

import { renameSync } from 'node:fs';
import { flagsOf, withFlag } from '../../maildir/base-name.js';
import type { ShouldStop } from '../messages/counting-stopped.js';
import { UnservableMessage } from '../messages/unservable-message.js';
import { youngerThan } from '../view/younger-than.js';
import { LiveView, type DirectoryKind } from '../view/live-view.js';
import type { MaildirMessage } from '../view/message-list.js';
import { MaildirFolders } from '../place/maildir-folders.js';
import type { Maildrop, MessageRecord, OpenMessage, RemovalResult } from '../messages/maildrop.js';
import { MessageFiles } from '../view/message-files.js';
import { MessageOctets, type Report } from '../octets/message-octets.js';
import type { RecentMaildrops } from '../view/recent-maildrops.js';
import { noteRemovalInQuota } from '../own-files/maildir-quota.js';
import { removeMarked, type MaildirRemoval } from './remove-marked.js';
import { Turns } from '../../system/runtime/turns.js';
import { assignUniqueIdsFromBaseNames } from '../unique-ids/unique-ids.js';

export interface MaildirMaildropOptions {
  /**
   * Makes all unique-ids known where another server's files say what they are; from base names when
   * absent. May reject: ids that are not known now are better than others.
   */
  readonly assignUniqueIds?:
    ((inbox: string, messages: readonly MaildirMessage[]) => Promise<void>) | undefined;
  /** Asked where there is no INBOX. Throws when that need not mean that there is no mail. */
  readonly expectMissing?: () => void;
  /** `maildir` when absent. */
  readonly kind?: DirectoryKind;
  /** Only messages younger than so many days are shown; null or absent: all. */
  readonly days?: number | null;
  /** Whether UPDATE gives retrieved messages the S flag. */
  readonly marksSeen: boolean;
  /** What earlier sessions of this process left, if it serves many. */
  readonly recent?: RecentMaildrops | undefined;
  readonly report: Report;
  /** Where it says so, `measure…` and `open` reject with CountingStopped. */
  readonly shouldStop?: ShouldStop;
}

/**
 * Opens a user's Maildir.
 *
 * @param inbox path as latin1 bytes; where there is nothing, the maildrop is empty
 * @throws MaildropRefused; the system's error; what `expectMissing` throws
 */
export async function openMaildirMaildrop(
  inbox: string,
  options: MaildirMaildropOptions,
): Promise<Maildrop> {
  const folders = new MaildirFolders(inbox);
  const view = await LiveView.open(folders, options.recent?.get(inbox), options.kind);
  if (view === null) {
    options.expectMissing?.();
    return emptyMaildrop;
  }
  // Whoever put them there may wait for them to be served.
  for (const event of ['skipped', 'hidden'] as const) {
    const { count, example } = view.list[event];
    if (count > 0) options.report(event, { entries: count, file: example });
  }
  const shown =
    options.days == null ? view.messages : await youngerThan(options.days, view, Date.now());
  return new MaildirMaildrop(folders, view, shown, options);
}

class MaildirMaildrop implements Maildrop {
  readonly records: readonly MaildirMessage[];
  readonly #folders: MaildirFolders;
  readonly #view: LiveView;
  readonly #files: MessageFiles;
  readonly #octets: MessageOctets;
  readonly #options: MaildirMaildropOptions;
  /** Those that this session could open, and need not be looked at before they are deleted. */
  readonly #opened = new Set<MaildirMessage>();
  readonly #retrieved = new Set<MaildirMessage>();
  #areIdsAssigned = false;

  constructor(
    folders: MaildirFolders,
    view: LiveView,
    shown: readonly MaildirMessage[],
    options: MaildirMaildropOptions,
  ) {
    this.#folders = folders;
    this.#view = view;
    this.#options = options;
    const { report, shouldStop = () => false } = options;
    this.#files = new MessageFiles(view, shouldStop);
    this.#octets = new MessageOctets(folders.inbox, view, this.#files, { report, shouldStop });
    this.records = shown;
  }

  refresh(): undefined | Promise<void> {
    return this.#view.refresh();
  }

  measure(record: MessageRecord): undefined | Promise<void> {
    const message = asOwn(record);
    return this.#octets.isKnown(message) ? undefined : this.#octets.measure([message]);
  }

  measureAll(): undefined | Promise<void> {
    const areAllKnown = this.records.every(
      (message) => message.status === 'gone' || this.#octets.isKnown(message),
    );
    return areAllKnown ? undefined : this.#octets.measure(this.records);
  }

  measureForSending(record: MessageRecord, fileBytes: number): Promise<number> {
    return this.#octets.measureForSending(asOwn(record), fileBytes);
  }

  assignUniqueIds(): undefined | Promise<void> {
    return this.#areIdsAssigned ? undefined : this.#assignUniqueIds();
  }

  /** The base name: it stays when flags change, and is what other programs' logs have. */
  nameOf(record: MessageRecord): string {
    return asOwn(record).baseName;
  }

  open(record: MessageRecord): OpenMessage | Promise<OpenMessage | null> | null {
    const message = asOwn(record);
    const opened = (file: OpenMessage | null): OpenMessage | null => {
      this.#opened.add(message);
      return file;
    };
    const failed = (error: unknown): never => {
      this.#report('unreadable', message, error as Error);
      throw error;
    };
    try {
      const file = this.#files.open(message);
      return file instanceof Promise ? file.then(opened, failed) : opened(file);
    } catch (error) {
      return failed(error);
    }
  }

  requireServable(record: MessageRecord): undefined | Promise<void> {
    const message = asOwn(record);
    return this.#opened.has(message) ? undefined : this.#requireServable(message);
  }

  correctOctets(record: MessageRecord, octets: number): void {
    this.#octets.correct(asOwn(record), octets);
  }

  noteRetrieved(record: MessageRecord): void {
    if (this.#options.marksSeen) this.#retrieved.add(asOwn(record));
  }

  async update(): Promise<RemovalResult> {
    // Nothing is removed from a directory that is no longer in its place.
    this.#folders.release();
    const result = await removeMarked(this.#folders, this.#view.messages, this.#files);
    this.#noteInQuota(result);
    for (const { record, error } of result.failures) {
      this.#report('remove-failed', asOwn(record), error);
    }
    const turns = new Turns();
    for (const message of this.#retrieved) {
      if (message.status === 'present') await this.#flagSeen(message);
      if (turns.isOver()) await turns.next();
    }
    const { removed, failures } = result;
    return { removed, failures };
  }

  async close(): Promise<void> {
    const snapshot = this.#view.snapshot();
    const { recent } = this.#options;
    const { inbox } = this.#folders;
    if (snapshot !== null && recent?.peek(inbox) !== snapshot) recent?.set(inbox, snapshot);
    await this.#octets.save();
    this.#folders.release();
  }

  async #assignUniqueIds(): Promise<void> {
    const { assignUniqueIds } = this.#options;
    // To those that are not shown as well: an id does not depend on who else is looking.
    const { messages } = this.#view;
    if (assignUniqueIds !== undefined) {
      await assignUniqueIds(this.#folders.inbox, messages);
    } else if (messages.some(({ uniqueId }) => uniqueId === null)) {
      // An earlier session may have left them, and ids from base names never change.
      await assignUniqueIdsFromBaseNames(messages);
    }
    this.#areIdsAssigned = true;
  }

  #noteInQuota({ removed, quotaBytes }: MaildirRemoval): void {
    if (removed.length === 0) return;
    try {
      noteRemovalInQuota(this.#folders.inbox, quotaBytes, removed.length);
    } catch (error) {
      // The messages are removed all the same; whoever keeps the quota will count anew one day.
      const { message } = error as Error;
      this.#options.report('quota-not-updated', { file: 'maildirsize', error: message });
    }
  }

  async #requireServable(message: MaildirMessage): Promise<void> {
    try {
      await this.#files.requireServable(message);
    } catch (error) {
      // What cannot be read now may be deleted all the same.
      if (!(error instanceof UnservableMessage)) return;
      this.#report('unreadable', message, error);
      throw error;
    }
  }

  async #flagSeen(message: MaildirMessage): Promise<void> {
    if (message.subdirectory === 'cur' && flagsOf(message.name).includes('S')) return;
    try {
      await this.#files.act(message, (path) => {
        const name = withFlag(message.name, 'S');
        renameSync(path, this.#folders.pathOf('cur', name));
        message.subdirectory = 'cur';
        message.name = name;
      });
    } catch (error) {
      this.#report('mark-seen-failed', message, error as Error);
    }
  }

  #report(event: string, message: MaildirMessage, error: Error): void {
    this.#options.report(event, { file: message.name, error: error.message });
  }
}

/** Records that come back from the session are the ones that this maildrop made. */
function asOwn(record: MessageRecord): MaildirMessage {
  return record as MaildirMessage;
}

const emptyMaildrop: Maildrop = {
  records: [],
  refresh: () => undefined,
  measure: () => undefined,
  measureAll: () => undefined,
  measureForSending: () => Promise.reject(new Error('there is no message')),
  assignUniqueIds: () => undefined,
  nameOf: () => '',
  open: () => null,
  requireServable: () => undefined,
  correctOctets: () => undefined,
  noteRetrieved: () => undefined,
  update: () => Promise.resolve({ removed: [], failures: [] }),
  close: () => Promise.resolve(),
};
