// When a client's program may be started. A start keeps a processor busy: only so many run at a
// time, and those of one network, however many clients it has, leave room for others.

import type { Socket } from 'node:net';
import { availableParallelism } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { FairQueue, type Applicant } from './fair-queue.js';
import { hasPeerLeft } from './peer-presence.js';

/** Few machines start more than one process in this time. */
const burstMs = 50;

/** Short beside the time that a process takes to start. */
const secondLookMs = 5;

/** A program that is not ready by then does not report it, or the machine is busy. */
const startingMs = 250;

/** One client's wait for its program's start, and then the start. */
export interface ProcessStart {
  /** Why no program is to be started; null: it is to be started now. Never rejects. */
  readonly whyNot: Promise<string | null>;
  /** The program is ready, or will not be started. May be called again, without effect. */
  end(): void;
}

interface Request extends Applicant {
  readonly settle: (isGranted: boolean) => void;
}

export class ProcessStarts {
  /** One source may keep all processors busy; a client from elsewhere starts beside it. */
  readonly #queue = new FairQueue<Request>({
    places: 2 * availableParallelism(),
    perSource: availableParallelism(),
    exemptLevel: Infinity,
    waiting: () => Infinity,
  });
  #lastMs = -Infinity;

  /** @param socket the client's connection, paused */
  request({ level, source }: Applicant, socket: Socket): ProcessStart {
    const nowMs = performance.now();
    const isBurst = nowMs - this.#lastMs < burstMs;
    this.#lastMs = nowMs;
    let request: Request | undefined;
    let isEnded = false;
    const end = (): void => {
      if (isEnded) return;
      isEnded = true;
      if (request !== undefined) this.#end(request);
    };
    const wait = async (): Promise<string | null> => {
      // In a burst many clients reset the connection right after they connected.
      if (isBurst) await delay(secondLookMs);
      if (isBurst && hasPeerLeft(socket)) return 'the peer left at once';
      const isGranted =
        !isEnded &&
        (await new Promise<boolean>((settle) => {
          request = { level, source, settle };
          if (this.#queue.enter(request).decision === 'admitted') settle(true);
        }));
      if (!isGranted || isEnded) return 'gave way while it waited';
      if (hasPeerLeft(socket)) return 'the peer left while it waited';
      setTimeout(end, startingMs);
      return null;
    };
    return { whyNot: wait(), end };
  }

  #end(request: Request): void {
    if (this.#queue.withdraw(request)) {
      request.settle(false);
      return;
    }
    this.#queue.release(request);
    for (let next = this.#queue.next(); next !== undefined; next = this.#queue.next()) {
      next.settle(true);
    }
  }
}
