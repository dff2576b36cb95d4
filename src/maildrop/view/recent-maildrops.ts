// What a process that serves many sessions remembers of maildrops that were open lately, so that the next session on an
// unchanged one need not scan it. Bounded; the longest unused go first.

import type { MaildirSnapshot } from './maildir-view.js';

/** About 50 MB at the most. */
const defaultMaxMessages = 200_000;

/** A maildrop without messages takes room too. */
const messagesPerMaildrop = 4;

export class RecentMaildrops {
  readonly #maxWeight: number;
  /** By path, the longest unused first. */
  readonly #snapshots = new Map<string, MaildirSnapshot>();
  #weight = 0;

  /** @param maxMessages how many messages' names, octets and unique-ids are remembered, of all maildrops together */
  constructor(maxMessages = defaultMaxMessages) {
    this.#maxWeight = maxMessages;
  }

  /** What the last session left. Whether it is still true is to be asked of its stamps. @param inbox latin1 bytes */
  find(inbox: string): MaildirSnapshot | null {
    const snapshot = this.#snapshots.get(inbox);
    if (snapshot === undefined) return null;
    this.#snapshots.delete(inbox);
    this.#snapshots.set(inbox, snapshot);
    return snapshot;
  }

  /** Remembers a maildrop in the place of what was known of it. One that is too large for all is forgotten. */
  keep(inbox: string, snapshot: MaildirSnapshot): void {
    this.forget(inbox);
    this.#snapshots.set(inbox, snapshot);
    this.#weight += weightOf(snapshot);
    for (const oldest of this.#snapshots.keys()) {
      if (this.#weight <= this.#maxWeight) break;
      this.forget(oldest);
    }
  }

  forget(inbox: string): void {
    const snapshot = this.#snapshots.get(inbox);
    if (snapshot === undefined) return;
    this.#snapshots.delete(inbox);
    this.#weight -= weightOf(snapshot);
  }
}

function weightOf({ messages }: MaildirSnapshot): number {
  return messages.length + messagesPerMaildrop;
}
