// `tcpsrun --explain`: goes the way of a connection without one. Opens no port and starts nothing.

import { noFailures } from '../../worker/failed-logins.js';
import { findProgram } from '../../run-file/find-program.js';
import { addressFromBytes, tryAddress, tryPeerAddress } from '../rules/address.js';
import { decide } from '../rules/access-rules.js';
import { formatDenial, formatLaunchExplanation, formatRuleExplanation } from './explanation.js';
import { planLaunch, type Service } from '../handing-over/run-file-parameters.js';
import { readRulesFile } from '../rules/rules-file.js';
import { parsePort } from '../listening/service-name.js';
import { UsageError } from '../../system/failures/failures.js';

export interface ExplainOptions {
  readonly service: Service;
  /** Where the service would listen. */
  readonly address: string;
  /** The client's address as it was given. */
  readonly client: string;
  readonly rules: string | undefined;
  readonly denied: 'closed' | 'served';
}

/**
 * What would happen to a client. Its port, which only a connection has, is 0 in the environment
 * shown, and so are failed logins.
 *
 * @throws UsageError for a client that is no address, and whatever would keep the service or the
 *   connection from being served: ConfigurationError, RunFileError
 */
export function explain({ service, address, client, rules: file, denied }: ExplainOptions): string {
  const remote = tryAddress(client);
  if (remote === null) {
    throw new UsageError(`option --explain needs an IPv4 or IPv6 address, not "${client}"`);
  }
  const rules = file === undefined ? null : readRulesFile(file);
  const { level, rule } = decide(rules, remote);
  const heading = formatRuleExplanation(remote, { file, rule, level });
  if (level === 0 && denied === 'closed') return heading + formatDenial();
  const facts = {
    remote: { address: remote, port: 0 },
    local: {
      address: tryPeerAddress(address) ?? addressFromBytes([0, 0, 0, 0]),
      port: parsePort(service.port),
    },
  };
  const { launch, passesNumber } = planLaunch(service, facts, { level, failures: noFailures });
  return heading + formatLaunchExplanation(launch, findProgram(launch), { passesNumber });
}
