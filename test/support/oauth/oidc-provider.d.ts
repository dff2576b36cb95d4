// The part of oidc-provider that tests use; the package brings no types.

declare module 'oidc-provider' {
  import type { IncomingMessage, ServerResponse } from 'node:http';

  export class Provider {
    constructor(issuer: string, configuration: Readonly<Record<string, unknown>>);
    callback(): (request: IncomingMessage, response: ServerResponse) => void;
    readonly AccessToken: {
      find(value: string): Promise<{ destroy(): Promise<void> } | undefined>;
    };
  }
}
