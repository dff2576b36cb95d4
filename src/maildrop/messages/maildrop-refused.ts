/**
 * A maildrop that must not be served, such as one with a symbolic link in a directory's place. For
 * `[SYS/PERM]`.
 */
export class MaildropRefused extends Error {}
