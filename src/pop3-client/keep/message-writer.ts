// One message on its way into tmp: trace header, LF line ends, a hash of the content, little
// memory.

import { TmpFile } from '../../maildir/deliver.js';
import { LineFeedEncoder } from '../../wire/multiline.js';
import { reasonOf, StoreFailure } from '../settings/failures.js';
import { IdentityHash, type MessageIdentity } from './message-identity.js';

/**
 * Octets held before they are written; most messages are written in one go. What comes from a fast
 * server exceeds this with each piece, and is then written without being copied.
 */
const maxHeldOctets = 32_768;

export class MessageWriter {
  readonly #maildir: string;
  readonly tmpName: string;
  readonly #earlierFailure: () => StoreFailure | null;
  readonly #lineFeeds = new LineFeedEncoder();
  readonly #hash = new IdentityHash();
  #held: Buffer[];
  #heldOctets: number;
  #file: TmpFile | null = null;
  /** The file is gone then. */
  #failure: StoreFailure | null = null;

  /**
   * @param earlierFailure why nothing more is to be written; null while it may be. What a full disk
   *   gives back is for the records of messages that came before
   */
  constructor(
    maildir: string,
    tmpName: string,
    traceHeader: Buffer,
    earlierFailure: () => StoreFailure | null,
  ) {
    this.#maildir = maildir;
    this.tmpName = tmpName;
    this.#earlierFailure = earlierFailure;
    this.#held = [traceHeader];
    this.#heldOctets = traceHeader.length;
  }

  /**
   * What cannot be written is told by `finish`: the message is read to its end first, so that those
   * before it, which are whole, can still be verified and stored.
   */
  write(piece: Buffer): void {
    if (this.#failure !== null) return;
    this.#hold(this.#lineFeeds.encode(piece));
    if (this.#heldOctets <= maxHeldOctets) return;
    try {
      this.#flush();
    } catch (error) {
      this.#failure = error as StoreFailure;
    }
  }

  /** Completes the file and makes it durable. @throws StoreFailure; the file is then gone */
  async finish(): Promise<MessageIdentity> {
    if (this.#failure !== null) throw this.#failure;
    this.#hold(this.#lineFeeds.end());
    const identity = this.#hash.digest();
    this.#flush();
    try {
      await this.#file?.finish();
    } catch (error) {
      this.discard();
      throw new StoreFailure(`cannot store a message: ${reasonOf(error)}`);
    }
    return identity;
  }

  discard(): void {
    this.#held = [];
    this.#file?.discard();
  }

  #hold(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#hash.update(bytes);
    this.#held.push(bytes);
    this.#heldOctets += bytes.length;
  }

  #flush(): void {
    const bytes = this.#held.length === 1 ? this.#held[0] : Buffer.concat(this.#held);
    this.#held = [];
    this.#heldOctets = 0;
    const earlier = this.#earlierFailure();
    if (earlier !== null) {
      this.discard();
      throw earlier;
    }
    try {
      this.#file ??= TmpFile.create(this.#maildir, this.tmpName);
      if (bytes !== undefined) this.#file.write(bytes);
    } catch (error) {
      this.discard();
      throw new StoreFailure(`cannot store a message: ${reasonOf(error)}`);
    }
  }
}
