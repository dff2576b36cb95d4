// Where each user's Maildir is, by what the options and the account source say.

import type { Accepted } from '../../auth/accounts/authenticator.js';
import { UsageError } from '../../system/failures/failures.js';
import { MaildropRefused } from '../messages/maildrop-refused.js';
import { PathTemplate, placeGiven } from './path-template.js';
import type { Place } from './place.js';

export const defaultMaildrop = '{domain}/{user}/INBOX';

export interface MaildropPlacesOptions {
  /** `defaultMaildrop` when absent. */
  readonly maildrop?: string | undefined;
  /** Where Dovecot keeps what is not mail: its CONTROL directory; null in the Maildir. */
  readonly dovecotControl?: string | undefined;
  /** For logins without a domain, in lower case. */
  readonly defaultDomain?: string | undefined;
}

export class MaildropPlaces {
  readonly #template: PathTemplate;
  readonly #control: PathTemplate | null;
  readonly #defaultDomain: string | undefined;

  /** @throws UsageError that names the option whose template is wrong */
  constructor({ maildrop, dovecotControl, defaultDomain }: MaildropPlacesOptions) {
    this.#template = parseTemplate('maildrop', maildrop ?? defaultMaildrop);
    this.#control =
      dovecotControl === undefined ? null : parseTemplate('dovecot-control', dovecotControl);
    this.#defaultDomain = defaultDomain;
    if (this.#template.isForOneDomain && defaultDomain === undefined) {
      throw new UsageError(
        `option --maildrop: "${maildrop ?? ''}" is one path for users of all domains: add {domain}, or name the one domain with --default-domain`,
      );
    }
  }

  /** @throws MaildropRefused for a user who cannot have a maildrop, or would have another's */
  of({ identity, grant: { maildrop, home } }: Accepted): Place {
    if (maildrop !== null) return placeGiven(maildrop, home);
    const { user, domain } = identity;
    const only = this.#defaultDomain;
    if (this.#template.isForOneDomain && domain !== only) {
      throw new MaildropRefused(
        `${user}@${domain} would have the maildrop of ${user}@${only ?? ''}: there is no {domain} in --maildrop`,
      );
    }
    return this.#template.expand({ identity, home });
  }

  /** @returns latin1 bytes; null where `dovecot-uidlist` is in the Maildir. @throws as `of` */
  controlOf({ identity, grant: { home } }: Accepted): string | null {
    return this.#control?.expand({ identity, home }).path ?? null;
  }
}

function parseTemplate(option: string, text: string): PathTemplate {
  try {
    return new PathTemplate(text);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(`option --${option}: ${error.message}`);
  }
}
