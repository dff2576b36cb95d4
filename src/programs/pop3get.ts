#!/usr/bin/env node
// pop3get: downloads a mailbox into a Maildir. Manual: doc/pop3get.1.

import '../system/program/refuse-debugger.js';
import { Interrupted } from '../pop3-client/settings/failures.js';
import { openNameServer } from '../pop3-client/find/name-server.js';
import {
  pop3getOptionTable,
  type Pop3getCommandLine,
} from '../pop3-client/settings/option-table.js';
import { readSettings } from '../pop3-client/settings/read-settings.js';
import { takeSecret } from '../pop3-client/settings/secret-source.js';
import type { ProgressBar } from '../pop3-client/run/progress-bar.js';
import { run } from '../pop3-client/run/run.js';
import type { Settings } from '../pop3-client/settings/settings.js';
import type { Summary } from '../pop3-client/run/summary.js';
import { exitCode, type ExitCode } from '../system/failures/exit-code.js';
import { openLog, type Log } from '../system/log/log.js';
import { logOptionsFrom } from '../system/program/log-options.js';
import { runProgram } from '../system/program/program.js';
import { collectOnOneThread, keepYoungSpaceSmall } from '../system/runtime/young-garbage.js';

// Short-lived buffers are most of what a transfer allocates: a young generation that may not grow
// has them back sooner, which keeps a large or endless message some 20 MB smaller and costs no time
// that can be measured.
keepYoungSpaceSmall();
collectOnOneThread();

void runProgram(
  {
    name: 'pop3get',
    synopsis: '[options] domain username [password | -]',
    purpose:
      'Downloads every message of a mailbox into a Maildir and removes from the server what it stored.\n' +
      'A password given as an argument can be seen by other users: better is --password-file.',
    options: pop3getOptionTable,
    positionals: [2, 3],
  },
  async (commandLine) => {
    const { options, positionals } = commandLine;
    const [domain = '', user = ''] = positionals;
    const secret = await takeSecret(commandLine, process.env);
    // Other users see the command line in ps(1); from here on without the password.
    process.title = `pop3get ${domain} ${user}`;
    const settings = await readSettings(commandLine, secret, process.env);
    const log = await openLog(logOptionsFrom('pop3get', options));
    const signal = interruptionSignal((options['max-time'] ?? 86_400) * 1000);
    const status =
      options['dry-run'] === true
        ? await showIntentions(settings, signal)
        : await transfer(settings, commandLine, signal, log);
    await log.flush(1000);
    return status;
  },
);

async function transfer(
  settings: Settings,
  { options }: Pop3getCommandLine,
  signal: AbortSignal,
  log: Log,
): Promise<ExitCode> {
  const progress = await openProgress(options.quiet ?? false);
  const { dnsServers, families } = settings.location;
  const summary = await run(settings, openNameServer(dnsServers, families), signal, (event) => {
    progress?.show(event);
    if (event.kind === 'left') {
      const { number, uniqueId } = event.entry;
      log.write('message-left', { number, uid: uniqueId ?? undefined, reason: event.reason });
    }
    if (event.kind === 'session-ended') {
      log.write('session-ended', { reason: event.reason, next: 'reconnecting' });
    }
  });
  progress?.stop();
  if (options.quiet !== true || summary.exit !== exitCode.ok) reportSummary(log, summary);
  if (options.json === true) process.stdout.write(`${JSON.stringify(summary)}\n`);
  return summary.exit;
}

/** Aborts with an Interrupted at the first signal that asks for an end, or after `maxTimeMs`. */
function interruptionSignal(maxTimeMs: number): AbortSignal {
  const controller = new AbortController();
  const interrupt = (reason: string): void => controller.abort(new Interrupted(reason));
  // A fault of ours must end the program, not wait for the timer.
  setTimeout(() => interrupt('--max-time is over'), maxTimeMs).unref();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => interrupt(`stopped by ${name}`));
  }
  return controller.signal;
}

function reportSummary(log: Log, summary: Summary): void {
  const { failed, left, error, login, server, ...counts } = summary;
  log.write(error === null ? 'done' : 'failed', {
    // First: cron's mail is read by its beginning.
    error: error ?? undefined,
    ...counts,
    server: server ?? undefined,
    login: login ?? undefined,
    failed: failed.length,
    left: left ?? undefined,
  });
}

async function openProgress(isQuiet: boolean): Promise<ProgressBar | null> {
  if (isQuiet || !process.stderr.isTTY) return null;
  const { openProgressBar } = await import('../pop3-client/run/progress-bar.js');
  return openProgressBar(process.stderr);
}

async function showIntentions(settings: Settings, signal: AbortSignal): Promise<ExitCode> {
  const { findIntentions } = await import('../pop3-client/run/dry-run.js');
  const { location } = settings;
  const nameServer = openNameServer(location.dnsServers, location.families);
  const { server, intentions } = await findIntentions(settings, nameServer, signal);
  const lines = intentions.map(
    ({ action, number, uniqueId, listedOctets }) =>
      `${action} ${number} octets=${listedOctets ?? '?'} uid=${uniqueId?.replace(/[^!-~]/g, '?') ?? '-'}\n`,
  );
  process.stdout.write(`${lines.join('')}${intentions.length} messages at ${server}\n`);
  return exitCode.ok;
}
