// pop3token with a state directory of the test's own, and a user who consents.

import { mkdtempSync, rmSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  builtProgram,
  runProgram,
  startProgram,
  type Result,
  type Teardown,
} from '../programs/run-program.js';
import { consent } from './consent.js';
import { clientId, scope, type OAuthServer } from './oauth-server.js';

export class Pop3token {
  readonly #t: Teardown;
  readonly oauth: OAuthServer;
  readonly state: string;
  /** A provider file. */
  readonly provider: string;

  constructor(t: Teardown, oauth: OAuthServer) {
    this.#t = t;
    this.oauth = oauth;
    this.state = mkdtempSync(join(tmpdir(), 'pop3token-'));
    t.teardown(async () => {
      rmSync(this.state, { recursive: true, force: true });
      await Promise.resolve();
    });
    this.provider = join(this.state, 'provider');
    writeFileSync(
      this.provider,
      `# the test's own\nissuer ${oauth.issuer}\nclient-id ${clientId}\nscope ${scope}\nparameter prompt=consent\n`,
    );
  }

  async run(args: readonly string[], env: Record<string, string> = {}): Promise<Result> {
    return runProgram(this.#t, 'pop3token', ['--state', this.state, ...args], { env });
  }

  /**
   * Logs in and consents.
   *
   * @param agree does what the page at an address wants
   */
  async logIn(
    name: string,
    user: string,
    args: readonly string[] = [],
    agree = (address: string) => consent(address, user, redirectOf(address)),
  ): Promise<Result> {
    const words = ['--state', this.state, '--provider', this.provider, ...args, 'login', name];
    const program = startProgram(this.#t, 'pop3token', words);
    const isRedirect = args.includes('redirect');
    const pattern = isRedirect ? /^(http:\S+)$/ : /^or open (\S+)$/;
    const [, address = ''] = await program.logLine(pattern);
    const result = program.finish('', 300_000);
    await agree(address);
    return result;
  }

  /** The command that prints the token. */
  command(name: string): string {
    return `${process.execPath} ${builtProgram('pop3token')} --state ${this.state} ${name}`;
  }

  path(name: string): string {
    return join(this.state, `${encodeURIComponent(name)}.json`);
  }

  read(name: string): Record<string, unknown> {
    return JSON.parse(readFileSync(this.path(name), 'utf8')) as Record<string, unknown>;
  }

  /** Changes what is known of a grant, as time would. */
  change(name: string, changes: Readonly<Record<string, unknown>>): void {
    writeFileSync(this.path(name), JSON.stringify({ ...this.read(name), ...changes }));
  }
}

/** Where a page sends the browser in the end; undefined with device flow. */
function redirectOf(address: string): string | undefined {
  return new URL(address).searchParams.get('redirect_uri') ?? undefined;
}
