// The first line of a session; alone in its file so that it can be sent before anything else is
// loaded. RFC 1939 §4.

/**
 * The whole status line. It names no host and no version, but for APOP's timestamp: strangers read
 * it.
 *
 * @param apopTimestamp `<…@…>` when APOP is offered; RFC 1939 §7
 */
export function greetingWith(apopTimestamp: string | null): string {
  return `+OK POP3 server ready${apopTimestamp === null ? '' : ` ${apopTimestamp}`}\r\n`;
}
