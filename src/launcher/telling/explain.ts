// `tcpsrun --explain`: goes the way of a connection without one. Opens no port and starts nothing.

import { noFailures } from '../../worker/failed-logins.js';
import { findProgram } from '../../run-file/find-program.js';
import { addressFromBytes, tryAddress, tryPeerAddress } from '../rules/address.js';
import { decide } from '../rules/access-rules.js';
import {
  formatDenial,
  formatLaunchExplanation,
  formatListener,
  formatRuleExplanation,
} from './explanation.js';
import type { NetworkList } from '../rules/network-list.js';
import { planLaunch, type Service } from '../handing-over/run-file-parameters.js';
import { readRulesFile } from '../rules/rules-file.js';
import { parsePort } from '../listening/service-name.js';
import { UsageError } from '../../system/failures/failures.js';

export interface ExplainOptions {
  /** One or more, each with where it would listen. */
  readonly listeners: readonly { readonly service: Service; readonly address: string }[];
  /** From where connections begin with a PROXY header. */
  readonly proxies: NetworkList;
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
export function explain(options: ExplainOptions): string {
  const { listeners, proxies, client, rules: file, denied } = options;
  const remote = tryAddress(client);
  if (remote === null) {
    throw new UsageError(`option --explain needs an IPv4 or IPv6 address, not "${client}"`);
  }
  const rules = file === undefined ? null : readRulesFile(file);
  const { level, rule } = decide(rules, remote);
  const proxy = proxies.isEmpty ? undefined : proxies.includes(remote) ? 'proxy' : 'client';
  const heading = formatRuleExplanation(remote, { file, rule, level, proxy });
  if (level === 0 && denied === 'closed') return heading + formatDenial();
  const explanations = listeners.map(({ service, address }) => {
    const facts = {
      remote: { address: remote, port: 0 },
      local: {
        address: tryPeerAddress(address) ?? addressFromBytes([0, 0, 0, 0]),
        port: parsePort(service.port),
      },
    };
    const { launch, passesNumber } = planLaunch(service, facts, { level, failures: noFailures });
    const listener = `${address} ${service.port} ${service.runFile}`;
    return (
      (listeners.length > 1 ? formatListener(listener) : '') +
      formatLaunchExplanation(launch, findProgram(launch), { passesNumber })
    );
  });
  return heading + explanations.join('');
}
