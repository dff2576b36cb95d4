// Gmail as receiver: users.messages.import. It scans and sorts as for mail that arrives, and keeps
// the Date. https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.messages/import

import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { ConfigurationError } from '../../system/failures/failures.js';
import { quoteServerText, reasonOf, StoreFailure } from '../settings/failures.js';
import type { TokenSource } from '../settings/token-source.js';
import type { OutgoingMessage } from './outgoing-message.js';
import type { Receiver, Verdict } from './receiver.js';

export interface GmailOptions {
  /** `https://gmail.googleapis.com`, or a stand-in. */
  readonly base: string;
  readonly tokens: TokenSource;
  readonly signal: AbortSignal;
}

/**
 * What mail that arrives has. Gmail gives an import none of them by itself: it would lie in All
 * Mail, as if it had been read and put away.
 */
const labels = ['INBOX', 'UNREAD'];
/** The documented limit of an import. */
const maxOctets = 150 * 1024 * 1024;
const requestTimeoutMs = 300_000;
const maxTries = 5;
const firstPauseMs = 1000;
const maxPauseMs = 60_000;

/** The body of a request, and what it is. */
interface Upload {
  readonly type: string;
  readonly body: Buffer;
}

interface Answer {
  readonly status: number;
  readonly text: string;
  /** What Retry-After says; null where it says nothing. */
  readonly retryAfterMs: number | null;
}

export class GmailReceiver implements Receiver {
  readonly name = 'gmail';
  readonly #options: GmailOptions;
  #token: string | null = null;

  constructor(options: GmailOptions) {
    this.#options = options;
  }

  async open(): Promise<void> {
    this.#token = await this.#options.tokens.read('login', this.#options.signal);
  }

  async hand(message: OutgoingMessage): Promise<Verdict> {
    const pieces: Buffer[] = [];
    const messageId = await message.findField('message-id');
    // It is what an import is looked for by; Gmail would make up another one.
    const ownId = `<${message.id}@pop3get.invalid>`;
    if (messageId === null) pieces.push(Buffer.from(`Message-ID: ${ownId}\n`));
    for await (const piece of message.lines()) pieces.push(piece);
    const octets = pieces.reduce((sum, { length }) => sum + length, 0);
    if (octets > maxOctets) {
      return {
        kind: 'refused',
        reason: `larger than Gmail takes: ${octets} octets of at most ${maxOctets}`,
      };
    }
    const upload = withLabels(pieces);
    const searched = messageId ?? ownId;
    if (message.isRepeat && (await this.#has(searched, message))) return { kind: 'accepted' };
    let pauseMs = firstPauseMs;
    for (let tries = 1; ; tries += 1) {
      const answer = await this.#import(upload);
      if ('kind' in answer) return answer;
      const { status, text } = answer;
      if (status === 200) return { kind: 'accepted' };
      const said = `gmail answers ${status}: ${describe(text)}`;
      if (!isTemporary(answer)) {
        if (status === 401 || status === 403) {
          throw new ConfigurationError(`${said}${adviceFor(answer)}`);
        }
        return { kind: 'refused', reason: said };
      }
      if (tries === maxTries) throw new StoreFailure(said);
      await delay(Math.min(answer.retryAfterMs ?? pauseMs, maxPauseMs), undefined, {
        signal: this.#options.signal,
      }).catch(() => {
        throw new StoreFailure(said);
      });
      pauseMs *= 2;
      // An error of the server's may have come after the import.
      if (status >= 500 && (await this.#has(searched, message))) return { kind: 'accepted' };
    }
  }

  close(): void {
    // fetch keeps its connections itself.
  }

  async #import(upload: Upload): Promise<Answer | Verdict> {
    const path =
      '/upload/gmail/v1/users/me/messages/import?uploadType=multipart&internalDateSource=dateHeader';
    try {
      return await this.#request(path, upload);
    } catch (error) {
      if (error instanceof StoreFailure) throw error;
      const reason = `gmail did not say whether it took the message: ${causeOf(error)}`;
      return { kind: 'undecided', reason };
    }
  }

  /**
   * Whether the mailbox has the message already. Another one may have its Message-ID: the field of
   * our own decides. Without the right to read nobody knows, and that is a no.
   */
  async #has(messageId: string, { id }: OutgoingMessage): Promise<boolean> {
    const query = encodeURIComponent(`rfc822msgid:${messageId.replace(/^<|>$/g, '')}`);
    const found = await this.#read(`messages?includeSpamTrash=true&q=${query}`);
    const list = (found as { messages?: readonly { id: string }[] } | null)?.messages ?? [];
    for (const { id: gmailId } of list) {
      const one = (await this.#read(
        `messages/${encodeURIComponent(gmailId)}?format=metadata&metadataHeaders=X-Pop3get-Id`,
      )) as { payload?: { headers?: readonly { name: string; value: string }[] } } | null;
      const headers = one?.payload?.headers ?? [];
      if (headers.some(({ name, value }) => /^x-pop3get-id$/i.test(name) && value.trim() === id)) {
        return true;
      }
    }
    return false;
  }

  async #read(path: string): Promise<unknown> {
    try {
      const { status, text } = await this.#request(`/gmail/v1/users/me/${path}`, null);
      return status === 200 ? (JSON.parse(text) as unknown) : null;
    } catch (error) {
      if (error instanceof StoreFailure) throw error;
      throw new StoreFailure(`gmail cannot be asked what it has: ${causeOf(error)}`);
    }
  }

  /** @param upload null for GET. @throws StoreFailure when nothing was sent; what fetch throws */
  async #request(path: string, upload: Upload | null): Promise<Answer> {
    const { base, tokens, signal } = this.#options;
    for (let tries = 1; ; tries += 1) {
      this.#token ??= await tokens.read('login', signal);
      let response;
      try {
        response = await fetch(`${base}${path}`, {
          ...(upload === null ? {} : { method: 'POST', body: upload.body }),
          headers: {
            authorization: `Bearer ${this.#token}`,
            ...(upload === null ? {} : { 'content-type': upload.type }),
          },
          redirect: 'error',
          signal: AbortSignal.any([signal, AbortSignal.timeout(requestTimeoutMs)]),
        });
      } catch (error) {
        if (isUnsent(error)) throw new StoreFailure(`gmail cannot be reached: ${causeOf(error)}`);
        throw error;
      }
      const text = await response.text();
      if (response.status === 401 && tries === 1) {
        this.#token = await tokens.read('refused', signal);
        continue;
      }
      const after = response.headers.get('retry-after') ?? '';
      const retryAfterMs = /^[0-9]{1,5}$/.test(after) ? Number(after) * 1000 : null;
      return { status: response.status, text, retryAfterMs };
    }
  }
}

/**
 * A message with its labels in one request.
 * https://developers.google.com/workspace/gmail/api/guides/uploads#multipart
 */
function withLabels(message: readonly Buffer[]): Upload {
  const boundary = randomBytes(16).toString('hex');
  const part = (type: string): string => `--${boundary}\r\nContent-Type: ${type}\r\n\r\n`;
  const description = JSON.stringify({ labelIds: labels });
  return {
    type: `multipart/related; boundary=${boundary}`,
    body: Buffer.concat([
      Buffer.from(`${part('application/json')}${description}\r\n${part('message/rfc822')}`),
      ...message,
      Buffer.from(`\r\n--${boundary}--\r\n`),
    ]),
  };
}

/** Google says with 403 too that there were too many requests. */
function isTemporary({ status, text }: Answer): boolean {
  const isLimit = /(rateLimit|dailyLimit|quota)Exceeded/i.test(text);
  return status === 429 || status >= 500 || (status === 403 && isLimit);
}

/** What to do about an answer of 401 or 403; empty where Google's own words say it. */
function adviceFor({ status, text }: Answer): string {
  const isScope = /insufficientPermissions|SCOPE_INSUFFICIENT|insufficient\b.*\bscope/i.test(text);
  if (status === 401 || isScope) {
    return ': it wants an access token with the scope gmail.insert or https://mail.google.com/ (--gmail-token-command)';
  }
  return /accessNotConfigured|SERVICE_DISABLED/i.test(text)
    ? ': the project that the client id is from must have the Gmail API switched on'
    : '';
}

function describe(text: string): string {
  try {
    const { error } = JSON.parse(text) as { error?: { message?: unknown } };
    if (typeof error?.message === 'string') return quoteServerText(error.message);
  } catch {
    // It is shown as it is.
  }
  return quoteServerText(text);
}

function isUnsent(error: unknown): boolean {
  const { code = '' } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
  return /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ENETUNREACH|EHOSTUNREACH|UND_ERR_CONNECT_TIMEOUT|CERT_|ERR_TLS_)/.test(
    code,
  );
}

function causeOf(error: unknown): string {
  const { cause } = error as Error;
  return reasonOf(cause instanceof Error ? cause : error);
}
