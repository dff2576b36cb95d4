// A stand-in of the part of Gmail's API that pop3get uses, after its documentation: users.messages.import, list with
// rfc822msgid, and get. It can fail in each of the ways that the documentation has.

import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Teardown } from '../programs/run-program.js';

/**
 * What happens to the next import. `lost`, `late-error` and `slow`: the message is stored, and the answer is not that, or
 * comes later.
 */
export type ImportFault =
  | ('too-many' | 'error' | 'late-error' | 'lost' | 'slow' | 'unauthorized' | 'refused')
  | ('too-narrow' | 'switched-off');

const switchedOff =
  'Gmail API has not been used in project 123456789012 before or it is disabled. Enable it by visiting ' +
  'https://console.developers.google.com/apis/api/gmail.googleapis.com/overview?project=123456789012 then retry. ' +
  'If you enabled this API recently, wait a few minutes for the action to propagate to our systems and retry.';

export class GmailStandIn {
  /** Whole messages. */
  readonly messages: string[] = [];
  /** The labels of each. An import has those that come with it, and INBOX and UNREAD are no others. */
  readonly labels: (readonly string[])[] = [];
  faults: ImportFault[] = [];
  /** Asked when `faults` has none left. */
  drawFault: () => ImportFault | undefined = () => undefined;
  /** Called when an import has come, before anything happens to it. */
  onImport: () => void = () => undefined;
  token = 'good';
  port = 0;
  imports = 0;

  get where(): string {
    return `gmail:http://127.0.0.1:${this.port}`;
  }

  answer(url: URL, request: Request, response: ServerResponse): void {
    const { method, token } = request;
    const send = (status: number, value: unknown, headers = {}): void => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(JSON.stringify(value));
    };
    const fail = (status: number, message: string, headers = {}, errors: unknown[] = []): void =>
      send(status, { error: { code: status, message, errors } }, headers);
    if (token !== `Bearer ${this.token}`) {
      fail(401, 'Invalid Credentials');
      return;
    }
    if (url.pathname === '/upload/gmail/v1/users/me/messages/import' && method === 'POST') {
      this.imports += 1;
      this.onImport();
      const fault = this.faults.shift() ?? this.drawFault();
      if (fault === 'too-many') {
        fail(429, 'Too many requests', { 'retry-after': '0' });
        return;
      }
      if (fault === 'error') {
        fail(503, 'Backend Error', { 'retry-after': '0' });
        return;
      }
      if (fault === 'unauthorized') {
        fail(401, 'Invalid Credentials');
        return;
      }
      if (fault === 'too-narrow') {
        fail(403, 'Request had insufficient authentication scopes.');
        return;
      }
      if (fault === 'switched-off') {
        fail(403, switchedOff, {}, [{ reason: 'accessNotConfigured' }]);
        return;
      }
      if (fault === 'refused') {
        fail(400, 'Invalid message');
        return;
      }
      const upload = url.searchParams.get('uploadType') === 'multipart' ? parse(request) : null;
      if (upload === null) {
        fail(400, 'Bad Request');
        return;
      }
      this.messages.push(upload.message);
      this.labels.push(upload.labels);
      if (fault === 'late-error') {
        fail(500, 'Internal Error', { 'retry-after': '0' });
        return;
      }
      if (fault === 'lost') {
        response.socket?.destroy();
        return;
      }
      const id = String(this.messages.length - 1);
      setTimeout(() => send(200, { id }), fault === 'slow' ? 50 : 0);
      return;
    }
    const one = /^\/gmail\/v1\/users\/me\/messages\/(\d+)$/.exec(url.pathname);
    if (one !== null) {
      const value = fieldOf(this.messages[Number(one[1])] ?? '', 'X-Pop3get-Id');
      send(200, { payload: { headers: [{ name: 'X-Pop3get-Id', value }] } });
      return;
    }
    const searched = /^rfc822msgid:(.*)$/.exec(url.searchParams.get('q') ?? '')?.[1];
    const found = this.messages.flatMap((text, id) =>
      fieldOf(text, 'Message-ID') === `<${searched ?? ''}>` ? [{ id: String(id) }] : [],
    );
    send(200, found.length === 0 ? {} : { messages: found });
  }
}

interface Request {
  readonly method: string;
  readonly token: string;
  readonly type: string;
  /** latin1 */
  readonly body: string;
}

/** An upload in two parts; null for anything else. */
function parse({ type, body }: Request): { message: string; labels: readonly string[] } | null {
  const boundary = /^multipart\/related; boundary=([0-9A-Za-z]{1,70})$/.exec(type)?.[1] ?? '';
  const [before, first = '', second = '', end, ...others] = `\r\n${body}`.split(
    `\r\n--${boundary}`,
  );
  const metadata = /^\r\nContent-Type: application\/json\r\n\r\n([^]*)$/.exec(first)?.[1];
  const message = /^\r\nContent-Type: message\/rfc822\r\n\r\n([^]*)$/.exec(second)?.[1];
  const isWhole = before === '' && end === '--\r\n' && others.length === 0;
  if (boundary === '' || metadata === undefined || message === undefined || !isWhole) return null;
  const { labelIds: labels = [] } = JSON.parse(metadata) as { labelIds?: readonly string[] };
  return { message, labels };
}

function fieldOf(message: string, name: string): string {
  return new RegExp(`^${name}: (.*)$`, 'im').exec(message)?.[1]?.trim() ?? '';
}

export async function startGmailStandIn(t: Teardown): Promise<GmailStandIn> {
  const gmail = new GmailStandIn();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const url = new URL(request.url ?? '/', 'http://127.0.0.1');
      const { authorization: token = '', 'content-type': type = '' } = request.headers;
      const body = Buffer.concat(chunks).toString('latin1');
      gmail.answer(url, { method: request.method ?? '', token, type, body }, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  gmail.port = (server.address() as AddressInfo).port;
  return gmail;
}
