// All messages of a maildrop, as a client gets them.

import type { Test } from 'tap';
import type { WireClient } from '../sessions/wire-client.js';

/** The messages as RETR sends them, each with as many octets as were announced. */
export async function retrieveAll(t: Test, client: WireClient): Promise<string[]> {
  const messages: string[] = [];
  for (const line of await client.listing('LIST')) {
    const [number = ''] = line.split(' ');
    const status = await client.ok(`RETR ${number}`);
    const message = await client.multiline();
    t.match(status, new RegExp(`^\\+OK ${message.length} `), 'octets announced are octets sent');
    messages.push(message.toString('latin1'));
  }
  return messages;
}
