// Limits of the protocol, each with the section that sets or permits it.

/**
 * RFC 2449 §4: a command line may have 255 octets with its CRLF. We read longer ones for passwords
 * of up to 512 octets.
 */
export const maxCommandLineOctets = 1024;

/**
 * RFC 5034 §4 sets no bound on AUTH lines; RFC 4954 §4 gives 12,288 octets for the same exchange in
 * SMTP.
 */
export const maxAuthLineOctets = 12_288;

/** An over-long line that goes on beyond this without a line end is an attack, not a mistake. */
export const maxDiscardedOctets = 65_536;

/** RFC 2449 §4: the first line of a response has at most 512 octets with its CRLF. */
export const maxResponseLineOctets = 512;

/** RFC 1939 §7: a unique-id has 1 to 70 characters in the range 0x21 to 0x7E. */
export const maxUniqueIdLength = 70;

/** The largest message number, and number of lines, that we count to; RFC 1939 sets none. */
export const maxMessageNumber = 2_147_483_647;
