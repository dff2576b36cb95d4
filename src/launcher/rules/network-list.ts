// Networks that are given together in one text, such as an option's value.

import type { Address } from './address.js';
import { maskedBytes, parseNetwork, type Network } from './network.js';

export class NetworkList {
  readonly #networks: readonly Network[];

  private constructor(networks: readonly Network[]) {
    this.#networks = networks;
  }

  /**
   * Reads `ADDRESS[/PREFIX]`, several with commas or blanks between.
   *
   * @throws NetworkError for one that is none
   */
  static parse(text: string): NetworkList {
    return new NetworkList(
      text
        .split(/[, \t]+/)
        .filter((word) => word !== '')
        .map(parseNetwork),
    );
  }

  get isEmpty(): boolean {
    return this.#networks.length === 0;
  }

  includes({ family, bytes }: Address): boolean {
    return this.#networks.some(
      ({ address, prefix }) =>
        address.family === family &&
        maskedBytes(bytes, prefix).every((byte, index) => byte === address.bytes[index]),
    );
  }
}
