// One message on its way into tmp: trace header, LF line ends, a hash of the content, little
// memory.

import { TmpFile } from '../../maildir/deliver.js';
import { LineFeedEncoder } from '../../wire/multiline.js';
import { reasonOf, StoreFailure } from '../settings/failures.js';
import { maxPieceOctets } from '../talk/reply-reader.js';
import { IdentityHash, type MessageIdentity } from './message-identity.js';

/** Room for what waits to be written: most messages are written in one go. */
export const roomOctets = 4 * maxPieceOctets;

export class MessageWriter {
  readonly #maildir: string;
  readonly tmpName: string;
  readonly #earlierFailure: () => StoreFailure | null;
  readonly #lineFeeds = new LineFeedEncoder();
  readonly #hash = new IdentityHash();
  readonly #room: Buffer;
  /** Octets in the room that are not written yet. */
  #heldOctets: number;
  /** Where what is to be hashed begins in the room: after the trace header, later at its start. */
  #contentAt: number;
  #file: TmpFile | null = null;
  /** The file is gone then. */
  #failure: StoreFailure | null = null;

  /**
   * @param room of `roomOctets`, of which nothing is needed any more once `finish` has returned its
   *   promise: the next message may have it then
   * @param earlierFailure why nothing more is to be written; null while it may be. What a full disk
   *   gives back is for the records of messages that came before
   */
  constructor(
    maildir: string,
    tmpName: string,
    traceHeader: Buffer,
    room: Buffer,
    earlierFailure: () => StoreFailure | null,
  ) {
    this.#maildir = maildir;
    this.tmpName = tmpName;
    this.#earlierFailure = earlierFailure;
    this.#room = room;
    this.#heldOctets = traceHeader.copy(room);
    this.#contentAt = this.#heldOctets;
  }

  /**
   * What cannot be written is told by `finish`: the message is read to its end first, so that those
   * before it, which are whole, can still be verified and stored.
   */
  write(piece: Buffer): void {
    if (this.#failure !== null) return;
    if (this.#heldOctets + piece.length >= this.#room.length) {
      try {
        this.#flush();
      } catch (error) {
        this.#failure = error as StoreFailure;
        return;
      }
    }
    this.#heldOctets += this.#lineFeeds.encode(piece, this.#room.subarray(this.#heldOctets)).length;
  }

  /** Completes the file and makes it durable. @throws StoreFailure; the file is then gone */
  async finish(): Promise<MessageIdentity> {
    if (this.#failure !== null) throw this.#failure;
    this.#heldOctets += this.#lineFeeds.end().copy(this.#room, this.#heldOctets);
    this.#flush();
    const identity = this.#hash.digest();
    try {
      await this.#file?.finish();
    } catch (error) {
      this.discard();
      throw new StoreFailure(`cannot store a message: ${reasonOf(error)}`);
    }
    return identity;
  }

  discard(): void {
    this.#file?.discard();
  }

  #flush(): void {
    const bytes = this.#room.subarray(0, this.#heldOctets);
    this.#hash.update(bytes.subarray(this.#contentAt));
    this.#heldOctets = 0;
    this.#contentAt = 0;
    const earlier = this.#earlierFailure();
    if (earlier !== null) {
      this.discard();
      throw earlier;
    }
    try {
      this.#file ??= TmpFile.create(this.#maildir, this.tmpName);
      this.#file.write(bytes);
    } catch (error) {
      this.discard();
      throw new StoreFailure(`cannot store a message: ${reasonOf(error)}`);
    }
  }
}
