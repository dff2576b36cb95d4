// Runs a SASL exchange of our client's side over a POP3 connection. RFC 5034 §4.

import type { SaslClient } from '../../../src/auth/mechanisms/sasl-client.js';
import type { WireClient } from './wire-client.js';

/**
 * Sends AUTH with an initial response and answers every challenge.
 *
 * @returns the status line. @throws SaslServerError also at +OK, when the server has not proven itself
 */
export async function authenticate(client: WireClient, sasl: SaslClient): Promise<string> {
  const initial = (await sasl.initialResponse()).toString('base64');
  client.write(`AUTH ${sasl.name} ${initial}\r\n`);
  for (;;) {
    const line = await client.line();
    if (!line.startsWith('+ ')) {
      if (line.startsWith('+OK')) sasl.finish();
      return line;
    }
    const answer = await sasl.respond(Buffer.from(line.slice(2), 'base64'));
    client.write(`${answer.toString('base64')}\r\n`);
  }
}
