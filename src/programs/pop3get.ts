#!/usr/bin/env node
// pop3get: downloads a mailbox into a Maildir. Manual: doc/pop3get.1.

import '../system/program/refuse-debugger.js';
import { Interrupted } from '../pop3-client/settings/failures.js';
import { readAccountsFile } from '../pop3-client/accounts/accounts-file.js';
import { importState } from '../pop3-client/accounts/import-state.js';
import { prepareDirectory } from '../pop3-client/keep/open-delivery.js';
import { runAccounts, type AccountsSummary } from '../pop3-client/accounts/run-accounts.js';
import { openNameServer } from '../pop3-client/find/name-server.js';
import {
  pop3getOptionTable,
  type Pop3getCommandLine,
} from '../pop3-client/settings/option-table.js';
import { readSettings } from '../pop3-client/settings/read-settings.js';
import { readSecret, takeSecret } from '../pop3-client/settings/secret-source.js';
import type { ProgressBar } from '../pop3-client/run/progress-bar.js';
import { run } from '../pop3-client/run/run.js';
import type { Settings } from '../pop3-client/settings/settings.js';
import type { Emit } from '../pop3-client/run/events.js';
import { SummaryKeeper, type Summary } from '../pop3-client/run/summary.js';
import { exitCode, type ExitCode } from '../system/failures/exit-code.js';
import { openLog, type Log } from '../system/log/log.js';
import { logOptionsFrom } from '../system/program/log-options.js';
import { parseCommandLine } from '../system/program/options.js';
import { runProgram } from '../system/program/program.js';
import { UsageError } from '../system/failures/failures.js';
import {
  collectOnOneThread,
  keepHeapSmall,
  keepYoungSpaceSmall,
} from '../system/runtime/garbage.js';

// Short-lived buffers are most of what a transfer allocates: a young generation that may not grow
// has them back sooner, which keeps a large or endless message some 20 MB smaller and costs no time
// that can be measured.
keepYoungSpaceSmall();
keepHeapSmall();
collectOnOneThread();

const synopsis =
  '[options] domain username [password | -] | [options] --config FILE [NAME...] | ' +
  '[options] import-state FILE domain username';

void runProgram(
  {
    name: 'pop3get',
    synopsis,
    purpose:
      'Downloads every message of a mailbox into a Maildir and removes from the server what it stored.\n' +
      'A password given as an argument can be seen by other users: better is --password-file.',
    options: pop3getOptionTable,
    positionals: [0, Infinity],
  },
  async (commandLine) => {
    const { options, positionals } = commandLine;
    if (options.config !== undefined) return runConfiguration(options.config, commandLine);
    if (positionals[0] === 'import-state') return runImport(commandLine);
    const [domain = '', user = ''] = positionals;
    if (options.keep === true && /^[0-9]+$/.test(domain)) {
      throw new UsageError(`--keep takes days as in ${domain}d, and "${domain}" is no domain`);
    }
    if (positionals.length < 2) throw new UsageError(`too few arguments: ${synopsis}`);
    if (positionals.length > 3) {
      throw new UsageError(`unexpected argument "${positionals[3] ?? ''}"`);
    }
    const secret = await takeSecret(commandLine, process.env);
    // Other users see the command line in ps(1); from here on without the password.
    process.title = `pop3get ${domain} ${user}`;
    const settings = await readSettings(commandLine, secret, process.env);
    const log = await openLog(logOptionsFrom('pop3get', options));
    const signal = withMaxTime(interruptionSignal(), options['max-time']);
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
  const summary = await runLogged(settings, signal, log, (event) => progress?.show(event));
  progress?.stop();
  if (options.quiet !== true || isForCron(summary)) reportSummary(log, summary);
  if (options.json === true) process.stdout.write(`${JSON.stringify(summary)}\n`);
  return summary.exit;
}

/** What another client fetched is not fetched again. */
async function runImport({ options, positionals }: Pop3getCommandLine): Promise<ExitCode> {
  const [, file = '', ...mailbox] = positionals;
  if (mailbox.length !== 2) throw new UsageError('import-state needs FILE domain username');
  const secret = { kind: 'password', password: Buffer.from('none') } as const;
  const settings = await readSettings({ options, positionals: mailbox }, secret, {});
  const { maildir: directory, account } = settings;
  prepareDirectory(settings);
  const [host = '', user = ''] = mailbox;
  const { client, added, known } = await importState(file, { directory, account }, { host, user });
  process.stdout.write(
    `${added} unique-ids of ${account} taken over from ${client}, ${known} were known\n`,
  );
  return exitCode.ok;
}

/** The accounts of a file, each with a summary of its own, and one for all. */
async function runConfiguration(
  path: string,
  { options, positionals }: Pop3getCommandLine,
): Promise<ExitCode> {
  const { sections } = readAccountsFile(path, process.env);
  const unknown = positionals.find((name) => !sections.some((one) => one.name === name));
  if (unknown !== undefined) throw new UsageError(`${path} has no account [${unknown}]`);
  const wanted = sections.filter(
    ({ name }) => positionals.length === 0 || positionals.includes(name),
  );
  const log = await openLog(logOptionsFrom('pop3get', options));
  const interruption = interruptionSignal();
  const isDryRun = options['dry-run'] === true;
  const { accounts, exit } = await runAccounts(
    wanted,
    isDryRun ? 1 : (options['at-once'] ?? 4),
    async ({ name, words }) => {
      const commandLine = parseCommandLine(pop3getOptionTable, words, process.env);
      const signal = withMaxTime(
        interruption,
        commandLine.options['max-time'] ?? options['max-time'],
      );
      const settings = await readSettings(commandLine, await readSecret(commandLine), process.env);
      if (isDryRun) {
        process.stdout.write(`${name}:\n`);
        const { summary } = new SummaryKeeper(name);
        summary.exit = await showIntentions(settings, signal);
        return summary;
      }
      const summary = await runLogged(settings, signal, log, () => undefined);
      if (options.quiet !== true || isForCron(summary)) reportSummary(log, summary);
      return summary;
    },
    (summary) => reportSummary(log, summary),
  );
  reportAccounts(log, { accounts, exit }, isDryRun ? { quiet: true } : options);
  await log.flush(1000);
  return exit;
}

async function runLogged(
  settings: Settings,
  signal: AbortSignal,
  log: Log,
  show: Emit,
): Promise<Summary> {
  const { location, account } = settings;
  const nameServer = openNameServer(location.dnsServers, location.families);
  return run(settings, nameServer, signal, (event) => {
    show(event);
    if (event.kind === 'left') {
      const { number, uniqueId } = event.entry;
      const { reason } = event;
      log.write('message-left', { reason, account, number, uid: uniqueId ?? undefined });
    }
    if (event.kind === 'session-ended') {
      log.write('session-ended', { reason: event.reason, account, next: 'reconnecting' });
    }
  });
}

/** Aborts with an Interrupted at the first signal that asks for an end. */
function interruptionSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => controller.abort(new Interrupted(`stopped by ${name}`)));
  }
  return controller.signal;
}

/** The same, and after a while. */
function withMaxTime(signal: AbortSignal, maxTimeSeconds = 86_400): AbortSignal {
  const controller = new AbortController();
  const interrupt = (): void => controller.abort(new Interrupted('--max-time is over'));
  // A fault of ours must end the program, not wait for the timer.
  setTimeout(interrupt, maxTimeSeconds * 1000).unref();
  return AbortSignal.any([signal, controller.signal]);
}

/** Whether somebody should be told of it: not that it was too early. */
function isForCron({ exit, tooEarly }: Summary): boolean {
  return exit !== exitCode.ok && !tooEarly;
}

function reportSummary(log: Log, summary: Summary): void {
  const { failed, left, error, login, server, expire, tls, tooEarly, account, ...counts } = summary;
  const reason =
    failed.length === 0
      ? error
      : [error, `not transferred: ${failed.length} of ${summary.listed} messages, named above`]
          .filter((text) => text !== null)
          .join('; ');
  log.write(reason === null ? 'done' : tooEarly ? 'too-early' : 'failed', {
    // First: cron's mail is read by its beginning.
    error: reason ?? undefined,
    ...{ account, tls: tls ?? undefined },
    ...counts,
    server: server ?? undefined,
    login: login ?? undefined,
    failed: failed.length,
    left: left ?? undefined,
    expire: expire ?? undefined,
  });
}

function reportAccounts(
  log: Log,
  { accounts, exit }: AccountsSummary,
  { quiet, json }: { readonly quiet?: boolean | undefined; readonly json?: boolean | undefined },
): void {
  const namesOf = (some: readonly Summary[]): string | undefined =>
    some.length === 0 ? undefined : some.map(({ account }) => account).join(', ');
  const failed = namesOf(accounts.filter(isForCron));
  const sum = (count: (summary: Summary) => number): number =>
    accounts.reduce((total, summary) => total + count(summary), 0);
  // Of one account its own line says all.
  if (accounts.length > 1 && (quiet !== true || failed !== undefined)) {
    log.write('accounts', {
      failed,
      'too-early': namesOf(accounts.filter(({ tooEarly }) => tooEarly)),
      accounts: accounts.length,
      stored: sum(({ stored }) => stored),
      deleted: sum(({ deleted }) => deleted),
      exit,
    });
  }
  if (json === true) process.stdout.write(`${JSON.stringify({ accounts, exit })}\n`);
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
