// Where each user's Maildir is, by what the options and the account source say.

import type { Accepted } from '../../auth/accounts/authenticator.js';
import { UsageError } from '../../system/failures/failures.js';
import { MaildropRefused } from '../messages/maildrop-refused.js';
import { PathTemplate } from './path-template.js';
import type { Place } from './place.js';
import { placeGiven, uniqueIdListGiven } from './place-given.js';

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

  /**
   * The directories where Dovecot may have its list of unique-ids, latin1 bytes: the first that has
   * one counts. None where that is in the Maildir.
   *
   * @throws as `of`
   */
  uniqueIdListsOf({ identity, grant: { maildrop, home } }: Accepted): readonly string[] {
    const given = maildrop === null ? null : uniqueIdListGiven(maildrop, home);
    if (given !== null) return [given];
    const control = this.#control?.expand({ identity, home }).path;
    // The second is for Dovecot's LAYOUT=fs.
    return control === undefined ? [] : [`${control}/.INBOX`, `${control}/INBOX`];
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
