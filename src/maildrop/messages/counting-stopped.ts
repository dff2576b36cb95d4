/** Octets were not counted to the end, because nobody waits for them any more. */
export class CountingStopped extends Error {
  override readonly name = 'CountingStopped';
}

/** Asked now and then while octets are counted, which can take hours: whether that is to end. */
export type ShouldStop = () => boolean;
