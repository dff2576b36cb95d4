// Whole runs of pop3get against a hostile server, and then against the same one that has come to its senses: nothing may be
// deleted that was not stored, nothing lost, and nothing stored twice unless the server lied about unique-ids.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { openNameServer } from '../../src/pop3-client/find/name-server.js';
import { isFinished } from '../../src/maildir/deliver.js';
import { run } from '../../src/pop3-client/run/run.js';
import type { Settings } from '../../src/pop3-client/settings/settings.js';
import type { Summary } from '../../src/pop3-client/run/summary.js';
import { deadline } from '../support/suite/deadline.js';
import { makeMaildir, type FakeMessage } from '../support/programs/pop3get-fixture.js';
import { drawnPlan, HostileServer, storedFiles, type DrawnPlan } from './hostile-server.js';

/** A server that says nothing costs this much. */
const faultyTimeoutMs = 120;
const honestTimeoutMs = 20_000;
const mostFaultyRuns = 5;
const mostHonestRuns = 3;
/** Ten sessions of faults and some waiting in each. */
const runDeadlineMs = 60_000;

const never = new AbortController().signal;
const watch = (): void => undefined;

export function sessionsProperty(): fc.IAsyncProperty<[DrawnPlan]> {
  return fc.asyncProperty(drawnPlan, async (plan) => {
    const handlers: (() => Promise<void>)[] = [];
    try {
      await playPlan({ teardown: (handler) => handlers.push(handler) }, plan);
    } finally {
      for (const handler of handlers) await handler();
    }
  });
}

async function playPlan(
  t: { teardown: (handler: () => Promise<void>) => unknown },
  plan: DrawnPlan,
): Promise<void> {
  const messages = Array.from({ length: plan.messageCount }, (_, index) => messageOf(index + 1));
  const maildir = makeMaildir(t);
  const hostile = new HostileServer(plan, maildir);
  const server = await hostile.start(t, messages);
  const runOnce = async (timeoutMs: number): Promise<Summary> => {
    const summary = await deadline(
      run(settingsFor(server.port, maildir, timeoutMs), openNameServer(null, [4]), never, watch),
      runDeadlineMs,
      () => 'the run goes on',
    );
    assert.deepEqual(hostile.violations, []);
    hostile.addFields();
    for (const name of readdirSync(join(maildir, 'tmp'))) {
      const start = readFileSync(join(maildir, 'tmp', name)).subarray(0, 1);
      assert.ok(isFinished(start), 'what waits in tmp for the next listing came whole');
    }
    return summary;
  };
  for (let runs = 0; runs < mostFaultyRuns && server.sessions < plan.sessions.length; runs += 1) {
    await runOnce(hostile.isTakingRetrForDele ? honestTimeoutMs : faultyTimeoutMs);
  }
  let summary = await runOnce(honestTimeoutMs);
  for (let runs = 1; runs < mostHonestRuns && summary.exit !== 0; runs += 1) {
    summary = await runOnce(honestTimeoutMs);
  }
  assert.equal(summary.exit, 0, JSON.stringify(summary));
  assert.equal(server.messages.length, 0);
  assert.deepEqual(readdirSync(join(maildir, 'tmp')), [], 'tmp is clean');
  const stored = storedFiles(maildir);
  for (const message of messages) {
    const given = [...hostile.given(message)];
    assert.ok(
      given.some((content) => stored.includes(content)),
      'every message is stored',
    );
  }
  const tampered = plan.sessions
    .flat()
    .filter(({ kind }) => kind === 'tamper' || kind === 'nothing');
  if (!tampered.every(({ target }) => target === 'RETR')) return;
  // What a server sends once so and once otherwise under one unique-id is two messages: pop3get(1).
  const texts = stored.map(withoutAddedFields);
  assert.equal(new Set(texts).size, texts.length, 'and none of them twice');
  const given = messages.flatMap((message) => [...hostile.given(message)].map(withoutAddedFields));
  assert.ok(
    texts.every((text) => given.includes(text)),
    'and nothing else',
  );
}

function withoutAddedFields(text: string): string {
  return text.replace(/^Status: RO\nX-UID: 12\n/, '');
}

/** No two have one size, so that none is taken for another whose unique-id it is given. */
function messageOf(number: number): FakeMessage {
  const content = `Subject: ${number}\r\n\r\n${'.\r\n'.repeat(number)}number ${number}\r\n..\r\n`;
  return { uniqueId: `id-${number}`, content: Buffer.from(content) };
}

function settingsFor(port: number, maildir: string, timeoutMs: number): Settings {
  return {
    location: {
      ...{ domain: '127.0.0.1', byAddress: true, srvSelf: false, srvSuperdomains: false },
      ...{ implicit: true, families: [4], port, tls: 'auto', dnsServers: null },
    },
    ...{
      localAddress: null,
      localPort: null,
      proxy: null,
      trust: { roots: null, ca: null, fingerprint: null, own: null },
    },
    ...{
      user: 'ann',
      delivery: { kind: 'maildir' },
      secret: { kind: 'password', password: Buffer.from('secret') },
      auth: 'auto',
      account: 'ann@example.org',
    },
    ...{ maildir, keep: false, keepSeconds: null, maxOctets: 1 << 20, timeoutMs },
  };
}
