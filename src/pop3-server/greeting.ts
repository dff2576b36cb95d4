// The first line of a session; alone in its file so that it can be sent before anything else is loaded. RFC 1939 §4.

/** Whole status line. It names no host and no version: strangers read it. */
export const greeting = '+OK POP3 server ready\r\n';
