// One message on its way into tmp: trace header, LF line ends, a hash of the content, little memory.

import { createHash } from 'node:crypto';
import { TmpFile } from '../../maildir/deliver.js';
import { LineFeedEncoder } from '../../wire/multiline.js';
import { reasonOf, StoreFailure } from '../settings/failures.js';

/** Octets held before they are written; most messages are written in one go. */
const maxHeldOctets = 65_536;

export interface FinishedFile {
  /** SHA-256 of the content as stored, trace header left out, hex. */
  readonly contentHash: string;
  readonly fileBytes: number;
}

export class MessageWriter {
  readonly #maildir: string;
  readonly tmpName: string;
  readonly #lineFeeds = new LineFeedEncoder();
  readonly #hash = createHash('sha256');
  #held: Buffer[];
  #heldOctets: number;
  #fileBytes = 0;
  #file: TmpFile | null = null;

  constructor(maildir: string, tmpName: string, traceHeader: Buffer) {
    this.#maildir = maildir;
    this.tmpName = tmpName;
    this.#held = [traceHeader];
    this.#heldOctets = traceHeader.length;
  }

  /** @throws StoreFailure; the file is then gone */
  write(piece: Buffer): void {
    this.#hold(this.#lineFeeds.encode(piece));
    if (this.#heldOctets > maxHeldOctets) this.#flush();
  }

  /** Completes the file and makes it durable. @throws StoreFailure; the file is then gone */
  async finish(): Promise<FinishedFile> {
    this.#hold(this.#lineFeeds.end());
    const contentHash = this.#hash.digest('hex');
    this.#flush();
    try {
      await this.#file?.finish();
    } catch (error) {
      this.discard();
      throw new StoreFailure(`cannot store a message: ${reasonOf(error)}`);
    }
    return { contentHash, fileBytes: this.#fileBytes };
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
    try {
      this.#file ??= TmpFile.create(this.#maildir, this.tmpName);
      if (bytes !== undefined) this.#file.write(bytes);
      this.#fileBytes += bytes?.length ?? 0;
    } catch (error) {
      this.discard();
      throw new StoreFailure(`cannot store a message: ${reasonOf(error)}`);
    }
  }
}
