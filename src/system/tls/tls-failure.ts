// What an error of TLS says to people.

/**
 * Says why TLS failed. OpenSSL's own messages hold an address in memory, a place in its source and
 * a line end, which tell nobody anything: its reason alone stays of them.
 *
 * @returns the message of an error that is not OpenSSL's
 */
export function describeTlsFailure(error: Error & { readonly reason?: string }): string {
  return error.reason ?? error.message;
}
