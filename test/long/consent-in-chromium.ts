// pop3token's two ways to consent, with the pages of a real OAuth server in a real browser: Debian's chromium.
// Run it with: node build/test/long/consent-in-chromium.js

import t from 'tap';
import { startOAuthServer } from '../support/oauth/oauth-server.js';
import { Pop3token } from '../support/oauth/pop3token-fixture.js';
import { startChromium, type Browser } from '../support/peers/chromium.js';
import { unlessInstalled } from '../support/peers/debian.js';
import { poll } from '../support/suite/deadline.js';

const user = 'ann@example.org';
t.setTimeout(600_000);

/** Signs in and agrees, page after page. @returns what the last page, which asks nothing, says */
async function consentIn(browser: Browser, address: string): Promise<string> {
  await browser.open(address);
  return poll(
    'the last page',
    async () => {
      const before = await browser.address();
      await browser.type('input[name=login]', user);
      await browser.type('input[name=password]', 'open sesame');
      if (!(await browser.click('button[type=submit]'))) return browser.text();
      // The page that comes next has another address.
      await poll(
        'another page',
        async () => ((await browser.address()) === before ? undefined : true),
        60_000,
      );
      return undefined;
    },
    300_000,
  );
}

t.test(
  'device flow and redirect with PKCE in chromium',
  { skip: unlessInstalled('chromium', 'chromedriver') },
  async (t) => {
    const oauth = await startOAuthServer(t);
    const pop3token = new Pop3token(t, oauth);
    for (const [flow, said] of [
      ['device', /success/i],
      ['redirect', /^Done. You can close this page.$/],
    ] as const) {
      const browser = await startChromium(t);
      let last = '';
      const result = await pop3token.logIn(flow, user, ['--flow', flow], async (address) => {
        last = await consentIn(browser, address);
        return last;
      });
      t.equal(result.status, 0, result.stderr);
      t.match(last.trim(), said);
      const printed = await pop3token.run([flow]);
      t.equal(printed.status, 0, printed.stderr);
      t.match(printed.stdout.toString(), /^[!-~]+\n$/);
      t.type(pop3token.read(flow)['refreshToken'], 'string');
    }
  },
);
