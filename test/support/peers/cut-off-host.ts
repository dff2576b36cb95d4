// A host of its own for a server that is to be cut off: a network namespace behind a veth pair. Cut off, it is silent:
// nothing is refused, nothing reset, as when somebody pulls out the cable.

import { execFileSync, spawnSync } from 'node:child_process';
import type { Teardown } from '../programs/run-program.js';
import { skipOrFail, unlessInstalled, unlessRoot } from './debian.js';

let isNamespace: boolean | undefined;

/** For tap's `skip` option. @throws Error instead when CI=true and root can make no namespace */
export function unlessCutOffHost(): string | false {
  const missing = unlessRoot() || unlessInstalled('ip');
  if (missing !== false) return missing;
  if (isNamespace === undefined) {
    const name = `pop3-try-${process.pid}`;
    isNamespace = spawnSync('ip', ['netns', 'add', name]).status === 0;
    if (isNamespace) ip('netns', 'del', name);
  }
  return isNamespace ? false : skipOrFail('ip(8) makes no network namespaces here');
}

export interface CutOffHost {
  /** IPv4, of the host. */
  readonly address: string;
  /** Written before a command, lets it run there; files are the same as here. */
  readonly command: readonly string[];
  cut(): void;
  mend(): void;
}

let made = 0;

/** Goes when the test ends, after what was started in it. */
export function makeCutOffHost(t: Teardown): CutOffHost {
  made += 1;
  const name = `pop3-${process.pid}-${made}`;
  const [here, there] = [`p${process.pid}h${made}`, `p${process.pid}t${made}`];
  // RFC 2544's network for benchmarks, which nobody routes: four addresses for each process and host.
  const block = ((process.pid * 8 + made) % 32_768) * 4;
  const [ours, address] = [1, 2].map(
    (host) => `198.${18 + (block >> 16)}.${(block >> 8) & 255}.${(block & 255) + host}`,
  ) as [string, string];
  const command = ['ip', 'netns', 'exec', name];
  ip('netns', 'add', name);
  t.teardown(() => {
    // The pair goes with either end of it.
    spawnSync('ip', ['link', 'del', here]);
    ip('netns', 'del', name);
    return Promise.resolve();
  });
  ip('link', 'add', here, 'type', 'veth', 'peer', 'name', there, 'netns', name);
  ip('address', 'add', `${ours}/30`, 'dev', here);
  ip('link', 'set', here, 'up');
  ip('-n', name, 'address', 'add', `${address}/30`, 'dev', there);
  ip('-n', name, 'link', 'set', there, 'up');
  return {
    address,
    command,
    // The far end: without the near one packets would take the route to the Internet.
    cut: () => ip('-n', name, 'link', 'set', there, 'down'),
    mend: () => ip('-n', name, 'link', 'set', there, 'up'),
  };
}

function ip(...words: readonly string[]): void {
  execFileSync('ip', words);
}
