// What is wrong with a stored password.

/**
 * Nothing can be verified against a stored password. The message names the scheme and never the
 * value.
 */
export class UnusablePasswordError extends Error {}

export function malformed(scheme: string): UnusablePasswordError {
  return new UnusablePasswordError(`stored ${scheme} password is malformed`);
}
