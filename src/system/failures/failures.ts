// What can keep a program from its work, by what its caller should do about it.

/**
 * A command line that cannot be understood; the message names the option or argument. Ends the
 * program with 100.
 */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/**
 * A configuration that cannot work; the message names what is wrong and where. Ends the program
 * with 100.
 */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
}

/** Something that may work later, such as a locked database. Ends the program with 111. */
export class TemporaryError extends Error {
  override readonly name = 'TemporaryError';
}
