// What a POP3 session sees of a user's mail: messages numbered at login. Knows nothing of POP3
// replies; what the messages are stored in is the implementation's affair.

import type { Octets } from './octets.js';

/**
 * One message of a session. `gone` means that another program removed it: for this session that is
 * as if the client had sent DELE, and RSET does not bring it back.
 */
export interface MessageRecord {
  status: 'present' | 'marked' | 'gone';
  /** Known once `measure` was asked, unless the message is gone. */
  octets: Octets;
  /** Null until `assignUniqueIds` was asked. */
  uniqueId: string | null;
}

/**
 * A message being read: its text, unpacked where the file is compressed, with line ends as they are
 * stored.
 */
export interface OpenMessage {
  /** The size of the text when it was opened; not what RETR sends. */
  readonly fileBytes: number;
  /**
   * To be awaited before so many bytes are read, where there is such a method: another thread may
   * have to unpack them. Rejects when the file is damaged.
   */
  makeReady?(bytes: number): Promise<void>;
  /** Fills the start of a buffer. @returns bytes read, 0 at the end. @throws the system's error */
  read(into: Buffer): number;
  close(): void;
}

export interface RemovalResult {
  /** Messages that this session removed; those that others removed first are no failures either. */
  readonly removed: readonly MessageRecord[];
  readonly failures: readonly { readonly record: MessageRecord; readonly error: Error }[];
}

/**
 * Methods that return `T | Promise<T>` answer at once when there is little to do: most sessions
 * never wait. All of them may throw or reject with the system's error; `measure…` and
 * `open` also with CountingStopped.
 */
export interface Maildrop {
  /** Messages by index: message number less 1. The list's length and order never change. */
  readonly records: readonly MessageRecord[];

  /**
   * Notices what other programs did: renamed messages are followed, removed ones become `gone`.
   * Costs two system calls when nothing changed. On a thread of its own it looks once a second.
   */
  refresh(): undefined | Promise<void>;

  /** Makes the octets of one message known, or of all that are not gone. */
  measure(record: MessageRecord): undefined | Promise<void>;
  measureAll(): undefined | Promise<void>;

  /**
   * The octets that may be announced before a message is sent whose file has so many bytes. They
   * must have been counted; the number in a file's name is not enough.
   */
  measureForSending(record: MessageRecord, fileBytes: number): Promise<number>;

  /** Makes all unique-ids known. No two are the same. */
  assignUniqueIds(): undefined | Promise<void>;

  /** What a message is called where it is stored, one character a byte: for the log. */
  nameOf(record: MessageRecord): string;

  /**
   * @returns null when the message is gone (its record says so then).
   *
   * @throws for one that cannot be read, and UnservableMessage
   */
  open(record: MessageRecord): OpenMessage | Promise<OpenMessage | null> | null;

  /**
   * Rejects with UnservableMessage for a message that no client can have seen: none may delete it.
   */
  requireServable(record: MessageRecord): undefined | Promise<void>;

  /** A whole read of the message found this many octets; the maildrop remembers. */
  correctOctets(record: MessageRecord, octets: number): void;

  /** The message was sent whole; where the maildrop is told to, UPDATE will flag it as seen. */
  noteRetrieved(record: MessageRecord): void;

  /**
   * RFC 1939 §6: removes every marked message; that one is gone already is success. Does not stop
   * at a failure.
   */
  update(): Promise<RemovalResult>;

  /**
   * Releases what the session held; remembers what is worth remembering. Removes nothing. Never
   * rejects.
   */
  close(): Promise<void>;
}
