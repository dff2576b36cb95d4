// What a process that serves many sessions remembers of maildrops that were open lately, so that
// the next session on an unchanged one need not scan it.

import { LRUCache } from 'lru-cache';
import type { MaildirSnapshot } from './message-list.js';

/** About 50 MB at the most. */
const defaultMaxMessages = 200_000;

/** A maildrop without messages takes room too. */
const messagesPerMaildrop = 4;

/**
 * A list that is older than this is made anew even when the stamps say that nothing changed, in
 * case a file system's stamps are wrong.
 */
const maxAgeMs = 10 * 60_000;

/** By path, latin1 bytes. Whether what is found is still true is to be asked of its stamps. */
export type RecentMaildrops = LRUCache<string, MaildirSnapshot>;

/** @param maxMessages how many messages are remembered, of all maildrops together */
export function createRecentMaildrops(maxMessages = defaultMaxMessages): RecentMaildrops {
  return new LRUCache({
    maxSize: maxMessages,
    sizeCalculation: ({ messages }) => messages.length + messagesPerMaildrop,
    ttl: maxAgeMs,
  });
}
