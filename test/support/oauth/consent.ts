// A person with a browser: goes through the pages of test/support/oauth/oauth-server.ts, which are plain forms.

import { clientId, scope, type OAuthServer } from './oauth-server.js';

interface Page {
  readonly url: string;
  readonly text: string;
}

/**
 * Opens a page, signs in and agrees to everything.
 *
 * @param stopAt an address to which a redirect is followed once, without reading forms there
 * @returns what the last page says
 */
export async function consent(url: string, user: string, stopAt?: string): Promise<string> {
  const cookies = new Map<string, string>();
  const open = async (address: string, form?: URLSearchParams): Promise<Page> => {
    const response = await fetch(address, {
      redirect: 'manual',
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      ...(form === undefined ? {} : { method: 'POST', body: form }),
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      cookies.set(name, value);
    }
    const location = response.headers.get('location');
    const text = await response.text();
    return location === null ? { url: address, text } : open(new URL(location, address).href);
  };
  let page = await open(url);
  for (let count = 0; count < 10; count += 1) {
    if (stopAt !== undefined && page.url.startsWith(stopAt)) break;
    const [form, action = ''] = /<form[^>]*action="([^"]*)"[^]*?<\/form>/.exec(page.text) ?? [];
    if (form === undefined) break;
    const fields = new URLSearchParams();
    for (const [input, name = ''] of form.matchAll(/<input[^>]*name="([^"]*)"[^>]*>/g)) {
      const written = /value="([^"]*)"/.exec(input)?.[1] ?? '';
      fields.append(name, name === 'login' ? user : written);
    }
    page = await open(new URL(action.replaceAll('&amp;', '&'), page.url).href, fields);
  }
  return page.text.replace(/<style[^]*?<\/style>|<[^>]*>/g, ' ').replace(/\s+/g, ' ');
}

/** An access token for `user`, by device flow. */
export async function obtainToken({ issuer }: OAuthServer, user: string): Promise<string> {
  const post = async (
    path: string,
    fields: Record<string, string>,
  ): Promise<Record<string, string>> => {
    const body = new URLSearchParams({ client_id: clientId, ...fields });
    const response = await fetch(`${issuer}${path}`, { method: 'POST', body });
    return (await response.json()) as Record<string, string>;
  };
  const device = await post('/device/auth', { scope });
  await consent(device['verification_uri_complete'] ?? '', user);
  const { access_token: token } = await post('/token', {
    grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
    device_code: device['device_code'] ?? '',
  });
  if (token === undefined) throw new Error('the OAuth server gave no token');
  return token;
}
