// What a progress display is told. The bar itself is loaded only for a terminal.

export interface Progress {
  /** A session fetches this much. */
  start(messages: number, octets: number): void;
  addOctets(octets: number): void;
  addMessage(): void;
  stop(): void;
}

export const noProgress: Progress = {
  start: () => undefined,
  addOctets: () => undefined,
  addMessage: () => undefined,
  stop: () => undefined,
};
