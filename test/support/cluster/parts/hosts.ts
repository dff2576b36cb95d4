// Hosts on one switch, each a network namespace. They belong to the room of test/support/cluster/room.ts, and go with it.

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';

/** The clients' addresses, all of them this host's own: RFC 2544's network for benchmarks. */
const clientNetwork = '198.18.0.0/15';
const ownAddress = '192.0.2.100';

export class Host {
  readonly name: string;
  /** IPv4. */
  readonly address: string;
  /** Written before a command, lets it run there; files are the same as here. */
  readonly command: readonly string[];

  constructor(name: string, address: string) {
    this.name = name;
    this.address = address;
    this.command = ['nsenter', `--net=/run/netns/${name}`, '--'];
  }

  /** Pulls out its cable: nothing is refused, nothing reset. */
  cut(): void {
    ip('link', 'set', this.name, 'down');
  }

  mend(): void {
    ip('link', 'set', this.name, 'up');
  }

  /** The ids of its processes whose command line matches; words end in a blank. */
  processes(commandLine: RegExp): number[] {
    const own = statSync(`/run/netns/${this.name}`).ino;
    return readdirSync('/proc')
      .filter((entry) => /^\d+$/.test(entry))
      .filter((pid) => {
        try {
          const words = readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ');
          return commandLine.test(words) && readlinkSync(`/proc/${pid}/ns/net`) === `net:[${own}]`;
        } catch {
          // It ended meanwhile.
          return false;
        }
      })
      .map(Number);
  }

  kill(commandLine: RegExp): void {
    for (const pid of this.processes(commandLine)) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It ended meanwhile.
      }
    }
  }
}

/** Makes the switch, which this process is connected to as well. */
export function makeSwitch(): void {
  ip('link', 'set', 'lo', 'up');
  ip('link', 'add', 'switch', 'type', 'bridge');
  ip('address', 'add', `${ownAddress}/24`, 'dev', 'switch');
  ip('link', 'set', 'switch', 'up');
  // Each session may come from an address of its own.
  ip('route', 'add', 'local', clientNetwork, 'dev', 'lo');
}

/** @param address of 192.0.2.0/24 */
export function addHost(name: string, address: string): Host {
  ip('netns', 'add', name);
  ip('link', 'add', name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
  ip('link', 'set', name, 'master', 'switch', 'up');
  ip('-n', name, 'link', 'set', 'lo', 'up');
  ip('-n', name, 'address', 'add', `${address}/24`, 'dev', 'eth0');
  ip('-n', name, 'link', 'set', 'eth0', 'up');
  ip('-n', name, 'route', 'add', clientNetwork, 'via', ownAddress);
  return new Host(name, address);
}

/** @param number of a client, 1 and more @returns an address for it, another one for each of the first 130,000 */
export function clientAddress(number: number): string {
  const host = number % 131_072;
  return `198.${18 + (host >> 16)}.${(host >> 8) & 255}.${host & 255}`;
}

function ip(...words: readonly string[]): void {
  execFileSync('ip', words);
}
