// Whether an account's servers were seen to have TLS. Somebody on the path who can break it at one
// address must not get the password in clear at the next. RFC 8314 §5.

export class TlsMemory {
  #isSeen: boolean;
  #isRemembered: boolean;
  readonly #remember: () => Promise<void>;

  /**
   * @param isRemembered what earlier runs found out
   * @param remember makes it known to later ones
   */
  constructor(isRemembered: boolean, remember: () => Promise<void>) {
    this.#isSeen = isRemembered;
    this.#isRemembered = isRemembered;
    this.#remember = remember;
  }

  /** Whether nothing may be said in clear any more. */
  get isSeen(): boolean {
    return this.#isSeen;
  }

  /**
   * STLS was announced. Counts in this run only: whoever can forge that could otherwise keep the
   * account out for good.
   */
  addOffer(): void {
    this.#isSeen = true;
  }

  /**
   * A handshake was done, with a certificate that is trusted. Throws what making it known throws.
   */
  async addHandshake(): Promise<void> {
    this.#isSeen = true;
    if (this.#isRemembered) return;
    await this.#remember();
    this.#isRemembered = true;
  }
}
