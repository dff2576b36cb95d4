// One run of pop3get against a server that misbehaves as told, what became of the messages, and further runs.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import {
  makeMaildir,
  numberedMessages,
  runPop3get,
  startFakeServer,
  storedContents,
  type FakeServer,
  type FakeServerOptions,
} from './pop3get-fixture.js';

export const three = numberedMessages(3);

export interface RunOutcome {
  readonly status: number | null;
  readonly stderr: string;
  /** Sorted. */
  readonly stored: readonly string[];
  /** Messages on the server. */
  readonly left: number;
}

export interface Attack extends RunOutcome {
  readonly server: FakeServer;
  readonly maildir: string;
  /** Of the first run. */
  readonly commands: readonly string[];
  readonly again: () => Promise<RunOutcome>;
}

/** @param options three messages unless they say otherwise */
export async function attack(
  t: Test,
  options: Partial<FakeServerOptions>,
  args: readonly string[] = [],
): Promise<Attack> {
  const server = await startFakeServer(t, { messages: three, ...options });
  const maildir = makeMaildir(t);
  const runOnce = async (): Promise<RunOutcome> => {
    const { status, stderr } = await runPop3get(t, server.port, maildir, args);
    t.equal(readdirSync(join(maildir, 'tmp')).length, 0, 'nothing is left in tmp');
    const stored = [...storedContents(maildir)].sort();
    return { status, stderr, stored, left: server.messages.length };
  };
  const first = await runOnce();
  return { ...first, server, maildir, commands: [...server.commands], again: runOnce };
}
