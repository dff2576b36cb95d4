// Several accounts in one run, several at once. What becomes of one keeps no other back.

import { exitCode, type ExitCode } from '../../system/failures/exit-code.js';
import { SummaryKeeper, type Summary } from '../run/summary.js';
import { reasonOf } from '../settings/failures.js';
import type { AccountSection } from './accounts-file.js';

/** From best to worst: what needs a person is worse than what another try may mend. */
const severity: readonly ExitCode[] = [
  exitCode.ok,
  exitCode.no,
  exitCode.temporary,
  exitCode.permanent,
];

export interface AccountsSummary {
  readonly accounts: readonly Summary[];
  readonly exit: ExitCode;
}

/**
 * @param atOnce how many run at a time
 * @param runOne makes the settings and runs; what it throws is that account's failure
 * @param onFailure gets the summary of an account that could not be run at all
 */
export async function runAccounts(
  sections: readonly AccountSection[],
  atOnce: number,
  runOne: (section: AccountSection) => Promise<Summary>,
  onFailure: (summary: Summary) => void,
): Promise<AccountsSummary> {
  const summaries: Summary[] = [];
  const waiting = [...sections.entries()];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [index, section] = next;
      summaries[index] = await runOne(section).catch((error: unknown) => {
        const summary = failure(section, error);
        onFailure(summary);
        return summary;
      });
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, sections.length) }, work));
  const exits = summaries.map(({ exit }) => severity.indexOf(exit));
  return { accounts: summaries, exit: severity[Math.max(0, ...exits)] ?? exitCode.temporary };
}

function failure({ name }: AccountSection, error: unknown): Summary {
  const { summary } = new SummaryKeeper(name);
  const kind = error instanceof Error ? error.name : '';
  summary.error = reasonOf(error);
  summary.exit =
    kind === 'UsageError' || kind === 'ConfigurationError'
      ? exitCode.permanent
      : exitCode.temporary;
  return summary;
}
