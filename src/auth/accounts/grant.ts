// What comes with a password that was right: where the mail is, and what this password allows.
// doc/passdb-database.5, Several passwords.

export interface Grant {
  /**
   * Path of the Maildir, absolute or below the mail root, or a mail location of Dovecot's; it comes
   * before `--maildrop`.
   */
  readonly maildrop: string | null;
  /** The user's home directory, for `{home}` in `--maildrop`. */
  readonly home: string | null;
  /** DELE is refused, and nothing is flagged. */
  readonly isReadOnly: boolean;
  /** Only messages younger than so many days are shown, 1 or more; null: all. */
  readonly days: number | null;
  /** Tells the passwords of one user apart, in the log. */
  readonly label: string | null;
}

/** Of a source that says nothing but that the password is right. */
export const unlimited: Grant = {
  maildrop: null,
  home: null,
  isReadOnly: false,
  days: null,
  label: null,
};
