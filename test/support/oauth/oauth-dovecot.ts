// Dovecot's settings for OAUTHBEARER and XOAUTH2 with introspection at the test's OAuth server.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { OAuthServer } from './oauth-server.js';

/** @param folder where Dovecot's configuration of OAuth goes; it must be readable for Dovecot */
export function oauthSettings(folder: string, { introspectionUrl, issuer }: OAuthServer): string {
  const path = join(folder, 'oauth2.conf');
  writeFileSync(
    path,
    `introspection_mode = post
introspection_url = ${introspectionUrl}
username_attribute = sub
active_attribute = active
active_value = true
scope = pop3
openid_configuration_url = ${issuer}/.well-known/openid-configuration
`,
  );
  return `passdb {
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = ${path}
}
`;
}
