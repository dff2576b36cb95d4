// Servers that do what the standards allow, or what mbox files do to messages, and what other clients lost mail by.

import type { FakeMessage, FakeServer, Turn } from './pop3get-fixture.js';

/** A server for which a message that was retrieved is deleted, at once or at QUIT. RFC 2449 §6.7 (EXPIRE 0). */
export function takingRetrForDele(
  server: () => FakeServer,
  isAtOnce: boolean,
): (line: string, session: number, turn: Turn) => string | undefined {
  const retrieved = new Map<number, Set<number>>();
  return (line, session, { listed }) => {
    const gone = retrieved.get(session) ?? new Set<number>();
    retrieved.set(session, gone);
    const remove = (): void => {
      server().messages = server().messages.filter(
        (message) => !gone.has(listed.indexOf(message) + 1),
      );
    };
    const [keyword = '', number = ''] = line.split(' ');
    if (keyword === 'QUIT') remove();
    if (number === '' || !['RETR', 'UIDL', 'LIST', 'TOP', 'DELE'].includes(keyword))
      return undefined;
    if (gone.has(Number(number))) return '-ERR no such message\r\n';
    if (keyword === 'RETR') gone.add(Number(number));
    if (isAtOnce) remove();
    return undefined;
  };
}

/** The message as a server over an mbox file has it once a session has seen it. */
export function withStatusField(message: FakeMessage): FakeMessage {
  const fields = Buffer.from('Status: RO\r\nX-UID: 12\r\n');
  return { ...message, content: Buffer.concat([fields, message.content]) };
}

/** A stored text without such fields. */
export function withoutStatusField(content: string): string {
  return content.replace(/^Status: RO\r\nX-UID: 12\r\n/, '');
}
