// The octets of a Maildir's messages: as the name says, as remembered in `pop3d.octets`, or counted
// by the encoder that sends. What was counted is remembered when that is worth a write.

import { lstatSync } from 'node:fs';
import { CountingStopped, type ShouldStop } from '../messages/counting-stopped.js';
import {
  areCounted,
  countedOctets,
  fewestOctets,
  knownOctets,
  namedOctets,
  octetsIfKnown,
  unknownOctets,
} from '../messages/octets.js';
import { countOctets, OctetCounter } from '../../wire/multiline.js';
import { countInParallel, messagesWorthAThread } from './count-in-parallel.js';
import { uncounted } from './counting-task.js';
import type { LiveView } from '../view/live-view.js';
import type { MaildirMessage } from '../view/message-list.js';
import type { MessageFiles } from '../view/message-files.js';
import { readOctetsCache, writeOctetsCache, type OctetsEntry } from './octets-cache.js';
import { tinySteps, Turns } from '../../system/runtime/turns.js';

/**
 * Writes problems to the log that make one message unavailable or cost time, but do not end the
 * session.
 */
export type Report = (event: string, fields: Readonly<Record<string, string | number>>) => void;

const chunkBytes = 256 * 1024;

/**
 * A file is read and counted without awaiting anything in between, so one buffer is enough for all
 * sessions.
 */
const sharedBuffer = Buffer.allocUnsafeSlow(chunkBytes);

/** Counted octets that are worth a rewrite of the cache by themselves. */
const octetsWorthRemembering = 1024 * 1024;

/** So is a part of all messages that is larger than one in this many. */
const messagesWorthRemembering = 64;

export class MessageOctets {
  readonly #inbox: string;
  readonly #view: LiveView;
  readonly #files: MessageFiles;
  readonly #report: Report;
  readonly #shouldStop: ShouldStop;
  #isCacheRead = false;
  #cachedCount = 0;
  #newlyCounted = 0;
  #newlyCountedOctets = 0;
  /** Whether a remembered number turned out to be wrong. */
  #hasCorrected = false;

  constructor(
    inbox: string,
    view: LiveView,
    files: MessageFiles,
    session: { readonly report: Report; readonly shouldStop: ShouldStop },
  ) {
    this.#inbox = inbox;
    this.#view = view;
    this.#files = files;
    this.#report = session.report;
    this.#shouldStop = session.shouldStop;
  }

  /**
   * `pop3d.octets` may say otherwise than a name, so a name counts only when that file has been
   * read.
   */
  isKnown({ octets }: MaildirMessage): boolean {
    return areCounted(octets) || (octets !== unknownOctets && this.#isCacheRead);
  }

  /**
   * Makes the octets of those that are not gone known. A message that cannot be read is listed by
   * its file's size: RETR will say why it cannot be had.
   *
   * @throws CountingStopped; what was counted before stays known
   */
  async measure(messages: readonly MaildirMessage[]): Promise<void> {
    await this.#readCache();
    const uncountedMessages = await withoutOctets(messages);
    if (uncountedMessages.length >= messagesWorthAThread) {
      await this.#countInParallel(uncountedMessages);
      this.#stopIfToldTo();
    }
    const turns = new Turns();
    for (const message of uncountedMessages) {
      if (message.octets !== unknownOctets) continue;
      const counting = this.#count(message, turns);
      if (counting !== undefined) await counting;
      if (turns.isOver()) await this.#giveWay(turns);
    }
  }

  /**
   * Makes a large message's octets known and counted. The number in a file's name is checked once,
   * by reading the message; so is a number that no file of that size can have. Other servers count
   * otherwise, or forget the line end that a last line lacks.
   *
   * @throws CountingStopped
   */
  async measureForSending(message: MaildirMessage, fileBytes: number): Promise<number> {
    await this.#readCache();
    const known = octetsIfKnown(message.octets);
    if (areCounted(message.octets) && known !== null && areOctetsOf(fileBytes, known)) return known;
    await this.#countSlowly(message, new Turns());
    // Now and not at the end: others who want the same large message need not count it too.
    await this.save();
    return knownOctets(message.octets);
  }

  /** A whole read of the message found this many octets. */
  correct(message: MaildirMessage, octets: number): void {
    this.#remember(message, octets);
  }

  /** Writes the cache if that is worth it. Never rejects. */
  async save(): Promise<void> {
    if (this.#newlyCounted === 0 || !this.#isWorthWriting()) return;
    // What earlier sessions counted must stay, though this one did not ask for it.
    await this.#readCache();
    this.#newlyCounted = 0;
    this.#newlyCountedOctets = 0;
    this.#hasCorrected = false;
    try {
      await writeOctetsCache(this.#inbox, this.#entriesToRemember());
    } catch (error) {
      this.#report('octets-not-remembered', { error: (error as Error).message });
    }
  }

  #isWorthWriting(): boolean {
    const rememberedCount = this.#isCacheRead ? this.#cachedCount : this.#view.messages.length;
    return (
      this.#hasCorrected ||
      this.#newlyCounted * messagesWorthRemembering > rememberedCount ||
      this.#newlyCountedOctets >= octetsWorthRemembering
    );
  }

  *#entriesToRemember(): Generator<readonly [string, number]> {
    for (const { baseName, octets, status } of this.#view.messages) {
      if (areCounted(octets) && status !== 'gone') yield [baseName, knownOctets(octets)];
    }
  }

  async #readCache(): Promise<void> {
    if (this.#isCacheRead) return;
    this.#isCacheRead = true;
    const others: OctetsEntry[] = [];
    this.#cachedCount = await readOctetsCache(this.#inbox, {
      messages: this.#view.messages,
      found: believe,
      other: (...entry) => others.push(entry),
    });
    if (others.length === 0) return;
    const byBaseName = await this.#view.indexByBaseName();
    for (const [baseName, octets] of others) {
      const message = byBaseName.get(baseName);
      if (message !== undefined) believe(message, octets);
    }
  }

  async #countInParallel(messages: readonly MaildirMessage[]): Promise<void> {
    const counted = await countInParallel(this.#inbox, messages, this.#shouldStop);
    const turns = new Turns(tinySteps);
    for (const [index, message] of messages.entries()) {
      const octets = counted[index] ?? uncounted;
      if (octets !== uncounted) this.#remember(message, octets);
      if (turns.isOver()) await turns.next();
    }
  }

  /** @returns a promise only when the file was not where it was, or is large */
  #count(message: MaildirMessage, turns: Turns): undefined | Promise<void> {
    try {
      const bytes = this.#files.tryReadSmall(message, sharedBuffer);
      if (bytes === null) return this.#countSlowly(message, turns);
      this.#remember(message, countOctets(bytes));
    } catch (error) {
      return this.#countUnreadable(message, error as Error);
    }
    return undefined;
  }

  async #countSlowly(message: MaildirMessage, turns: Turns): Promise<void> {
    let file;
    try {
      file = await this.#files.open(message);
    } catch (error) {
      await this.#countUnreadable(message, error as Error);
      return;
    }
    if (file === null) return;
    try {
      const counter = new OctetCounter();
      for (;;) {
        await file.makeReady?.(chunkBytes);
        const length = file.read(sharedBuffer);
        if (length === 0) break;
        counter.add(sharedBuffer.subarray(0, length));
        if (turns.isOver()) await this.#giveWay(turns);
      }
      this.#remember(message, counter.total());
    } catch (error) {
      await this.#countUnreadable(message, error as Error);
    } finally {
      file.close();
    }
  }

  /**
   * @throws CountingStopped, where that is the error; the system's when not even the file's size
   *   can be known
   */
  async #countUnreadable(message: MaildirMessage, error: Error): Promise<void> {
    if (error instanceof CountingStopped) throw error;
    this.#report('unreadable', { file: message.name, error: error.message });
    await this.#files.act(message, (path) => {
      message.octets = namedOctets(lstatSync(path).size);
    });
  }

  async #giveWay(turns: Turns): Promise<void> {
    await turns.next();
    this.#stopIfToldTo();
  }

  #stopIfToldTo(): void {
    if (this.#shouldStop()) throw new CountingStopped();
  }

  #remember(message: MaildirMessage, octets: number): void {
    const believed = octetsIfKnown(message.octets);
    if (believed !== null && believed !== octets) {
      this.#hasCorrected = true;
      this.#report('octets-corrected', { file: message.name, believed, octets });
    }
    message.octets = countedOctets(octets);
    this.#newlyCounted += 1;
    this.#newlyCountedOctets += octets;
  }
}

async function withoutOctets(
  messages: readonly MaildirMessage[],
): Promise<readonly MaildirMessage[]> {
  const turns = new Turns(tinySteps);
  const found: MaildirMessage[] = [];
  for (const message of messages) {
    if (message.octets === unknownOctets && message.status !== 'gone') found.push(message);
    if (turns.isOver()) await turns.next();
  }
  return found;
}

/**
 * Whether a file of so many bytes can have so many octets: each LF may get a CR, and the end up to
 * two line ends.
 */
function areOctetsOf(fileBytes: number, octets: number): boolean {
  return octets >= Math.max(fewestOctets, fileBytes) && octets <= 2 * fileBytes + 4;
}

/**
 * What this session counted itself is better than what is remembered. Earlier versions counted 0
 * octets for an empty file.
 */
function believe(message: MaildirMessage, octets: number): void {
  if (areCounted(message.octets) || octets < fewestOctets) return;
  message.octets = countedOctets(octets);
}
