// What `tcpsrun --explain` prints: what would happen to a client, a `name: value` line each.

import type { Launch } from '../../run-file/evaluate-run-file.js';
import type { Address } from '../rules/address.js';
import { formatTarget, type AccessRule } from '../rules/access-rules.js';

export interface ExplainedRule {
  /** Undefined without `--rules`. */
  readonly file: string | undefined;
  readonly rule: AccessRule | null;
  readonly level: number;
  /** Where proxies are configured: whether it is one of them. */
  readonly proxy: 'proxy' | 'client' | undefined;
}

/** The lines about the client and the rule that decides. */
export function formatRuleExplanation(
  client: Address,
  { file, rule, level, proxy }: ExplainedRule,
): string {
  return formatLines([
    ['client', client.text],
    ...(proxy === undefined ? [] : [describeProxy(proxy)]),
    ['rule', describeRule(file, rule)],
    ['level', String(level)],
  ]);
}

/** The lines about what is started. @param program its absolute path */
export function formatLaunchExplanation(
  launch: Launch,
  program: string,
  options: { readonly passesNumber: boolean },
): string {
  return formatLines([
    ['served', options.passesNumber ? 'yes, on descriptor 3' : 'yes, on descriptors 0 and 1'],
    ['program', program],
    ...launch.arguments.map((argument): [string, string] => ['argument', argument]),
    ['directory', launch.directory],
    ...[...launch.environment]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, value]): [string, string] => ['environment', `${name}=${value}`]),
  ]);
}

/** The line before what a listener starts, where there are several. */
export function formatListener(listener: string): string {
  return formatLines([['listener', listener]]);
}

/** The line about a client that is denied. */
export function formatDenial(): string {
  return formatLines([['served', 'no, closed at once']]);
}

function describeProxy(proxy: 'proxy' | 'client'): [string, string] {
  return proxy === 'proxy'
    ? ['proxy', 'its connections begin with a PROXY header; below, its own health checks']
    : ['proxy', 'no, whether it comes by itself or its address in the header of one'];
}

function describeRule(file: string | undefined, rule: AccessRule | null): string {
  if (file === undefined) return 'no rules file; everybody has level 1';
  if (rule === null) return `none in ${file}; denied`;
  return `${file}:${rule.line}: ${formatTarget(rule.target)} ${rule.level}`;
}

/** Values with control characters are written as JSON strings, so that each stays on its line. */
function formatLines(lines: readonly (readonly [name: string, value: string])[]): string {
  return lines
    .map(
      ([name, value]) =>
        `${name}: ${/[\0-\x1f\x7f]/.test(value) ? JSON.stringify(value) : value}\n`,
    )
    .join('');
}
