// The first line of a session; alone in its file so that it can be sent before anything else is
// loaded. RFC 1939 §4.

/**
 * The whole status line. Anybody can read it, so it names neither host nor version. Only APOP's
 * timestamp names the host.
 *
 * @param apopTimestamp `<…@…>` when APOP is offered; RFC 1939 §7
 */
export function greetingWith(apopTimestamp: string | null): string {
  return `+OK POP3 server ready${apopTimestamp === null ? '' : ` ${apopTimestamp}`}\r\n`;
}
